"""Answers that are classes: the learner's `nn.Module` is made, gets the weights that `make` drew, and is called."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from lessons_lib.grading.drive.calls import call, gradient_case
from lessons_lib.grading.drive.question import Arrays, Trouble


def build(answer: Callable, construct: Mapping[str, Any], state: Arrays) -> nn.Module:
    """The learner's module, made with the arguments `construct`, in evaluation mode, with the weights `state`.

    Args:
        state: each parameter under the name that the question fixes, such as `query.weight`.
    Raises:
        Trouble: it cannot be made, is no module, or has other parameters than `state`.
    """
    module = call(answer, *construct.values())
    name = getattr(answer, "__name__", type(answer).__name__)
    if not isinstance(module, nn.Module):
        raise Trouble(f"`{name}` does not make an nn.Module: write `class {name}(nn.Module)`")
    parameters = dict(module.named_parameters())
    for key, value in state.items():
        _check_parameter(module, parameters, key, value.shape)
    if extra := sorted(parameters.keys() - state.keys()):
        raise Trouble(f"the module has a parameter `{extra[0]}` beside {', '.join(_layers(state))}: what is it for?")
    with torch.no_grad():
        for key, value in state.items():
            parameters[key].copy_(torch.from_numpy(value.copy()))
    return module.eval()


def module_gradient_case(
    case: str, module: nn.Module, arguments: Mapping[str, np.ndarray], cotangent: np.ndarray, *fixed: Any
) -> Arrays:
    """Gradients of sum(first result · cotangent) by each argument and each parameter (`query.weight`: `query_weight`).

    Args:
        fixed: what the module gets behind the arguments, such as a mask, on which nothing is differentiated.
    """
    names = {key: key.replace(".", "_") for key, _ in module.named_parameters()}
    state = {names[key]: value.detach().numpy() for key, value in module.named_parameters()}

    def answer(*given):
        inputs, parameters = given[: len(arguments)], given[len(arguments) :]
        return torch.func.functional_call(module, dict(zip(names, parameters, strict=True)), (*inputs, *fixed))

    return gradient_case(case, answer, {**arguments, **state}, cotangent)


def _check_parameter(module: nn.Module, parameters: Mapping, key: str, due: tuple[int, ...]) -> None:
    layer, _, _ = key.rpartition(".")
    if not hasattr(module, layer.partition(".")[0] or key):
        raise Trouble(f"the module has no `{layer or key}`: the check needs this name, set in `__init__`")
    if key not in parameters:
        raise Trouble(f"the module has a `{layer or key}`, but no parameter `{key}` of its own")
    if tuple(parameters[key].shape) != due:
        raise Trouble(f"`{key}` has the shape {tuple(parameters[key].shape)}; {due} is due")


def _layers(state: Arrays) -> list[str]:
    return list(dict.fromkeys(key.rpartition(".")[0] or key for key in state))
