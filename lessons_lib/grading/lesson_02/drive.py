"""Lesson 2: how the learner's projections, their attention and their lookup matrices are called."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from lessons_lib.device import pick_device
from lessons_lib.grading.arrays import text_array
from lessons_lib.grading.drive.calls import call, gradient_case, run_case, to_arrays
from lessons_lib.grading.drive.modules import fill
from lessons_lib.grading.drive.question import Arrays, Question, Trouble

ATTENTION = "Attention(d_model, d_head, d_value)"
PROJECTIONS = ("query", "key", "value")
RETURNS = ("output", "weights")
FORBIDDEN = ("lessons_lib.attention",)


def make_layer(seed: int) -> Arrays:
    """x (B, H, T, D), source (B, H, S, D), and the weights of a layer; T, S, D, d_head, d_value all different."""
    draw = np.random.default_rng(seed)
    n_queries, n_keys, d_model, d_head, d_value = (int(size) for size in draw.permutation([5, 6, 7, 11, 13]))
    arrays = {
        "x": draw.normal(size=(2, 3, n_queries, d_model)),
        "source": draw.normal(size=(2, 3, n_keys, d_model)),
        "equal": draw.normal(size=(n_queries, d_model)),
        "cotangent": draw.normal(size=(n_queries, d_value)),
    }
    for name, width in zip(PROJECTIONS, (d_head, d_head, d_value), strict=True):
        arrays[f"{name}_weight"] = draw.normal(scale=2 / np.sqrt(d_model), size=(width, d_model))
        arrays[f"{name}_bias"] = draw.normal(size=width)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def weights_of(inputs: Arrays, side: int | None = None) -> Arrays:
    """The weights by their names in the module; with ``side`` the square corner of each."""
    state = {f"{name}.{kind}": inputs[f"{name}_{kind}"] for name in PROJECTIONS for kind in ("weight", "bias")}
    return state if side is None else {name: array[(slice(side),) * array.ndim] for name, array in state.items()}


def square_side(inputs: Arrays) -> int:
    """The largest size for which d_model, d_head, d_value and T can all be equal."""
    return min(*inputs["x"].shape[2:], len(inputs["query_bias"]), len(inputs["value_bias"]))


def project_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call of `project`, by the name of its case."""
    x, side = inputs["x"], square_side(inputs)
    return {
        "plain": {"x": x[0, 0]},
        "square": {"x": x[0, 0, :side, :side]},
        "batch": {"x": x[:, 0]},
        "heads": {"x": x},
        "double": {"x": x[0, 0].astype(np.float64)},
    }


def attend_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call of the layer, by the name of its case."""
    x, source = inputs["x"], inputs["source"]
    side = square_side(inputs)
    return {
        "plain": {"x": x[0, 0]},
        "square": {"x": x[0, 0, :side, :side]},
        "cross": {"x": x[0, 0], "source": source[0, 0]},
        "equal": {"x": x[0, 0], "source": inputs["equal"]},
        "zeros": {"x": x[0, 0], "source": np.zeros_like(source[0, 0])},
        "batch": {"x": x[:, 0], "source": source[:, 0]},
        "heads": {"x": x, "source": source},
        "large": {"x": x[0, 0] * 30, "source": source[0, 0] * 30},
        "double": {"x": x[0, 0].astype(np.float64), "source": source[0, 0].astype(np.float64)},
    }


def drive_project(answer, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for case, arguments in project_cases(inputs).items():
        arrays |= layer_case(case, answer, inputs, arguments, PROJECTIONS, "project")
    arrays |= layer_case("again", answer, inputs, project_cases(inputs)["plain"], PROJECTIONS, "project")
    return arrays | projection_gradients(answer, inputs)


def weighing(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """By what a projection is multiplied, before the sum whose gradients are asked for."""
    return np.random.default_rng(PROJECTIONS.index(name)).normal(size=shape)


def projection_gradients(answer: Callable, inputs: Arrays) -> Arrays:
    """`NAME_gradient` for each projection, by x and by the weight and the bias of its layer; or its error."""
    arrays: Arrays = {}
    for place, name in enumerate(PROJECTIONS):
        try:
            layer = built(answer, weights_of(inputs))
            parameters = dict(layer.named_parameters(remove_duplicate=False))
            x = torch.from_numpy(inputs["x"][0, 0].copy()).requires_grad_()
            leaves = {"x": x, "weight": parameters[f"{name}.weight"], "bias": parameters[f"{name}.bias"]}
            made = call(layer.project, x)[place]
            if not made.requires_grad:
                raise Trouble("it is cut off from x and its layer (no_grad, .detach(), .data or numpy?)")
            weighted = (made.double() * torch.from_numpy(weighing(name, tuple(made.shape)))).sum()
            gradients = torch.autograd.grad(weighted, list(leaves.values()), materialize_grads=True)
            found = to_arrays(dict(zip(leaves, gradients, strict=True)))
            arrays |= {f"{name}_gradient.{leaf}": array for leaf, array in found.items()}
        except Trouble as trouble:
            arrays[f"{name}_gradient.error"] = text_array(str(trouble))
        except (
            AttributeError,
            IndexError,
            KeyError,
            TypeError,
            RuntimeError,
        ) as error:  # no three tensors, or no layers
            arrays[f"{name}_gradient.error"] = text_array(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
    return arrays


def drive_attend(answer, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    cases = attend_cases(inputs)
    for case, arguments in cases.items():
        arrays |= layer_case(case, answer, inputs, arguments, RETURNS, "__call__")
    arrays |= layer_case("again", answer, inputs, cases["plain"], RETURNS, "__call__")
    arrays |= layer_case("after", answer, inputs, cases["plain"], RETURNS, "__call__", before=cases["cross"])
    arrays |= layer_case("project", answer, inputs, cases["cross"], PROJECTIONS, "project")
    device = pick_device().type
    arrays |= layer_case("device", answer, inputs, cases["cross"], RETURNS, "__call__", device)
    for case in ("plain", "cross"):
        arrays |= layer_case(
            f"{case}_gradient", answer, inputs, cases[case], (), "__call__", cotangent=inputs["cotangent"]
        )
    return arrays


def layer_case(
    case: str,
    answer: Callable,
    inputs: Arrays,
    arguments: Mapping[str, np.ndarray],
    returns: tuple[str, ...],
    method: str,
    device: str = "cpu",
    cotangent: np.ndarray | None = None,
    before: Mapping[str, np.ndarray] | None = None,
) -> Arrays:
    """Build the learner's layer, load the drawn weights, call one of its methods: as `run_case` or `gradient_case`.

    Args:
        before: the arguments of an earlier call of the same layer.
    """
    state = weights_of(inputs, arguments["x"].shape[-1] if case == "square" else None)
    try:
        layer = built(answer, state).to(device, torch.from_numpy(arguments["x"]).dtype)
    except Trouble as trouble:
        return {f"{case}.error": text_array(str(trouble))}
    bound = getattr(layer, method, None)
    if bound is None:
        return {f"{case}.error": text_array(f"the layer has no method {method}: write `def {method}(self, x, source)`")}
    if before is not None:
        run_case("before", bound, before, returns, device)
    if cotangent is not None:
        return gradient_case(case, bound, arguments, cotangent)
    return run_case(case, bound, arguments, returns, device)


def built(answer: Callable, state: Mapping[str, np.ndarray]) -> nn.Module:
    """The learner's module, with the weights of ``state``.

    Raises:
        Trouble: it cannot be built, is no module, or its parameters have other names or shapes.
    """
    (d_head, d_model), d_value = state["query.weight"].shape, len(state["value.bias"])
    layer = call(answer, d_model, d_head, d_value)
    if not isinstance(layer, nn.Module):
        raise Trouble(f"`Attention(…)` gives a {type(layer).__name__}, no module: write `class Attention(nn.Module)`")
    if not hasattr(layer, "_parameters"):
        raise Trouble("`Attention` is no nn.Module yet: begin __init__ with super().__init__()")
    has = dict(layer.named_parameters(remove_duplicate=False))
    if missing := [name for name in state if name not in has]:
        raise Trouble(_missing(layer, missing, has))
    named = {id(has[name]) for name in state}  # a second name for one of these is no second parameter
    if extra := sorted(name for name, value in has.items() if name not in state and id(value) not in named):
        raise Trouble(f"there is a parameter `{extra[0]}`, which the question does not name: three linear layers do")
    sizes = f"d_model {d_model}, d_head {d_head}, d_value {d_value}"
    for name, array in state.items():
        if tuple(has[name].shape) != array.shape:
            shapes = f"`{name}` has the shape {tuple(has[name].shape)} where {array.shape} is due"
            raise Trouble(f"{shapes} ({sizes}): nn.Linear(inputs, outputs)")
    for one, other in (("query", "key"), ("query", "value"), ("key", "value")):
        if has[f"{one}.weight"] is has[f"{other}.weight"]:
            raise Trouble(f"`{one}` and `{other}` are one and the same layer: make three, each with weights of its own")
    fill(layer, {name: torch.from_numpy(array.copy()) for name, array in state.items()})
    return layer.eval()


def _missing(layer: nn.Module, missing: list[str], has: Mapping[str, Any]) -> str:
    if all(name.endswith(".bias") for name in missing):
        return f"there is no parameter `{missing[0]}`: the question asks for layers with a bias"
    if not has:
        return "the module has no weights at all: assign nn.Linear layers to self in __init__, not to a list or a name"
    name, others = missing[0].partition(".")[0], ", ".join(sorted(has))
    if isinstance(getattr(layer, name, None), torch.Tensor):
        return f"`{name}` is a tensor, and a layer is due, with weight and bias: self.{name} = nn.Linear(…)"
    if {other.partition(".")[0] for other in has} < set(PROJECTIONS):
        return f"__init__ makes no layer self.{name}; there are {others}: write self.{name} = nn.Linear(…), there"
    return f"there is no parameter `{missing[0]}`, but {others}: name the layers query, key and value"


def make_finds(seed: int) -> Arrays:
    """Who shall find whom, for 40, some and 2 words. Two find each other, and no list is a permutation but the last."""
    draw = np.random.default_rng(seed)
    arrays = {}
    for length in (40, *(int(n) for n in draw.integers(5, 20, size=2)), 2):
        finds = draw.integers(length, size=length)
        one, other, third, fourth = draw.permutation(max(length, 4))[:4]
        if length > 2:
            finds[[one, other, third, fourth]] = other, one, one, fourth  # a pair, one more on its heels, one itself
        arrays[f"finds_{length}"] = finds if length > 2 else np.array([1, 0])
    return arrays


def drive_lookup(answer, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for name, finds in inputs.items():
        given = finds.tolist()
        arrays |= run_case(name, answer, {"finds": given}, ("w_query", "w_key"))
        arrays[f"changed.{name}"] = np.array(given != finds.tolist())
    return arrays


QUESTIONS = {
    "q1": Question("the three projections", ATTENTION, make_layer, drive_project, FORBIDDEN),
    "q2": Question("attention, within one sentence and between two", ATTENTION, make_layer, drive_attend, FORBIDDEN),
    "q3": Question("a dictionary by hand", "lookup_matrices(finds)", make_finds, drive_lookup),
}
