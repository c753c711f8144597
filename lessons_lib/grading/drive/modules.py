"""Answers that are modules: made, filled with drawn weights by the names that the question fixes, and then called."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from lessons_lib.grading.arrays import text_array
from lessons_lib.grading.drive.calls import call, gradient_case, run_case, to_arrays
from lessons_lib.grading.drive.question import Arrays, Trouble

Shapes = dict[str, tuple[int, ...]]


def draw_weights(draw: np.random.Generator, shapes: Shapes) -> np.ndarray:
    """Numbers for all of these parameters, one after the other in one array: so few cross, whatever their number."""
    parts = []
    for name, shape in shapes.items():
        centre = 1.0 if name.endswith(("gamma", "norm.weight")) else 0.0
        scale = 1.2 / math.sqrt(shape[-1]) if len(shape) == 2 else 0.3
        parts.append(draw.normal(centre, scale, shape).ravel())
    return np.concatenate(parts).astype(np.float32)


def by_name(flat: np.ndarray, shapes: Shapes) -> Arrays:
    """The parameters in such an array, each with its name and shape."""
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])[:-1]
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), np.split(flat, ends), strict=True)}


def filled(answer: Any, sizes: Sequence[Any], weights: Mapping[str, np.ndarray]) -> nn.Module:
    """The learner's module, made with these arguments, in evaluation mode, with these weights in it.

    Raises:
        Trouble: it cannot be made, is no module, or its parameters have other names or shapes.
    """
    module = call(answer, *sizes)
    name = getattr(answer, "__name__", "the answer")
    if not isinstance(module, nn.Module):
        kind = type(module).__name__
        raise Trouble(f"{name}{tuple(sizes)} gives a {kind}, not a module: write class {name}(nn.Module)")
    fill(module, {key: torch.from_numpy(array.copy()) for key, array in weights.items()})
    return module.eval()


def fill(module: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Put weights into the parameters of these names; a second name for one of them, or a buffer, needs none.

    Raises:
        Trouble: the parameters have other names or shapes.
    """
    if not hasattr(module, "_parameters"):
        raise Trouble(f"{type(module).__name__} is no nn.Module yet: begin __init__ with super().__init__()")
    mine = dict(module.named_parameters(remove_duplicate=False))
    missing = [key for key in weights if key not in mine]
    known = {id(mine[key]) for key in weights if key in mine}  # a second name for one of these is no second parameter
    unknown = [key for key in mine if key not in weights and id(mine[key]) not in known]
    if missing:
        raise Trouble(_why_missing(module, missing[0], unknown))
    if unknown:
        raise Trouble(f"there is a parameter {unknown[0]} too many: the question fixes what a module is made of")
    for key, value in weights.items():
        if not mine[key].requires_grad:
            raise Trouble(f"{key} has requires_grad=False, so it will not be learned: leave that out")
        if mine[key].shape != value.shape:
            first, shapes = key.partition(".")[0], f"the shape {tuple(mine[key].shape)}; {tuple(value.shape)} is due"
            raise Trouble(f"{key} has {shapes}: are the sizes in their order where `{first}` is made?")
    owners: dict[int, str] = {}
    for key in weights:
        if (first := owners.setdefault(id(mine[key]), key)) != key:
            raise Trouble(f"{first} and {key} are one and the same parameter: make each part anew")
    with torch.no_grad():
        for key, value in weights.items():
            mine[key].copy_(value)


def _why_missing(module: nn.Module, key: str, unknown: Sequence[str]) -> str:
    owner, _, last = key.rpartition(".")
    try:
        part = module.get_submodule(owner)
    except AttributeError:
        part = module
    there = getattr(part, last, None)
    if isinstance(there, torch.Tensor):
        how = f" (in `{owner}`)" if owner else ""
        return f"{key} is a tensor, and no parameter{how}: make it with nn.Parameter, or it will not be learned"
    if last == "beta" and isinstance(getattr(part, "gamma", None), torch.Tensor):
        return f"`{owner or type(part).__name__}` has gamma and no beta, as an RMSNorm: a LayerNorm with both is due"
    first = key.partition(".")[0]
    made = getattr(module, first, None)
    if isinstance(made, nn.LayerNorm | nn.MultiheadAttention):
        return f"`{first}` is PyTorch's own, with other names for its numbers: take the part you have, without nn."
    if isinstance(made, type):
        return f"`{first}` is the class {made.__name__} itself: make one of it, {made.__name__}(…), in __init__"
    if isinstance(made, list | tuple | dict):
        return f"PyTorch does not see the layers in a plain list: make `{first}` an nn.ModuleList (there is no {key})"
    if isinstance(made, nn.ModuleList) and key.split(".")[1] == str(len(made)):
        return f"there is no {key}: `{first}` holds {len(made)} layers, and more are due"
    if last == "bias" and isinstance(getattr(part, "weight", None), torch.Tensor):
        return f"there is no parameter {key}: the layer has one, nn.Linear makes it unless told bias=False"
    instead = f" (your module has {unknown[0]})" if unknown else ""
    return f"there is no parameter {key}{instead}: the question fixes the names of the parts"


def module_case(
    case: str, module: Any, arguments: Mapping[str, Any], returns: tuple[str, ...], method: str | None = None
) -> Arrays:
    """`run_case` for a module, or for one of its methods."""

    def answer(*given: Any) -> Any:
        return (module if method is None else getattr(module, method))(*given)

    return run_case(case, answer, arguments, returns)


def watched_case(
    case: str,
    module: nn.Module,
    parts: Sequence[str],
    arguments: Mapping[str, Any],
    returns: tuple[str, ...],
    method: str,
) -> Arrays:
    """`module_case`, and beside it what each of these parts gave at its first call: `case.NAME_gave`."""
    gave: dict[str, Any] = {}
    hooks = []

    def note(key: str, made: Any) -> None:  # what a hook returns takes the place of what the part gave
        gave.setdefault(key, made)

    for name in parts:
        try:
            part = module.get_submodule(name)
        except AttributeError:
            continue
        key = f"{name.replace('.', '_')}_gave"
        hooks.append(part.register_forward_hook(lambda part, given, made, key=key: note(key, made)))
    try:
        arrays = module_case(case, module, arguments, returns, method)
    finally:
        for hook in hooks:
            hook.remove()
    if f"{case}.error" in arrays:
        return arrays
    plain = {key: made for key, made in gave.items() if type(made) is torch.Tensor and made.layout == torch.strided}
    return arrays | {f"{case}.{key}": array for key, array in to_arrays(plain).items()}


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

    arrays = gradient_case(case, answer, {**arguments, **state}, cotangent)
    first = {id(value): names[key] for key, value in module.named_parameters()}
    for key, value in module.named_parameters(remove_duplicate=False):  # a parameter with two names has two entries
        if f"{case}.{first[id(value)]}" in arrays:
            arrays[f"{case}.{key.replace('.', '_')}"] = arrays[f"{case}.{first[id(value)]}"]
    return arrays


def weight_gradients(
    case: str, module: nn.Module, arguments: Mapping[str, np.ndarray], cotangent: np.ndarray, shapes: Shapes
) -> Arrays:
    """`case.gradient`: of sum(result · cotangent) by every parameter, one after the other; or `case.error`."""
    try:
        result = call(module, *(torch.from_numpy(value.copy()) for value in arguments.values()))
        if type(result) is not torch.Tensor or not result.requires_grad:
            raise Trouble("the result is cut off from the weights (numpy, .detach(), .data, .item() or no_grad?)")
        mine = dict(module.named_parameters(remove_duplicate=False))
        try:
            loss = (result * torch.from_numpy(cotangent)).sum()
            gradients = torch.autograd.grad(loss, [mine[name] for name in shapes], materialize_grads=True)
        except RuntimeError as error:  # another shape, or a backward pass that fails
            raise Trouble(str(error).partition("\n")[0]) from None
        return to_arrays({f"{case}.gradient": torch.cat([gradient.flatten() for gradient in gradients])})
    except Trouble as trouble:
        return {f"{case}.error": text_array(str(trouble))}
