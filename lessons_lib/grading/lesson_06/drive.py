"""Lesson 6: how the learner's norms and their residual path are made, filled with weights and called."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from lessons_lib.device import pick_device
from lessons_lib.grading.drive.calls import call, run_case, to_arrays
from lessons_lib.grading.drive.modules import filled, module_gradient_case
from lessons_lib.grading.drive.question import Arrays, Question, Trouble

SCRATCH = ("lessons_lib.norms", "lessons_lib.blocks", "torch.nn.functional", "torch.nn.modules.normalization")
OTHER_EPS = 0.25
PLACES = ("pre", "post")


def make_norm(seed: int) -> Arrays:
    """x (B, T, D) whose words differ in mean and spread, γ and β (D,); all sizes different, D the largest."""
    draw = np.random.default_rng(seed)
    batch, words = (int(size) for size in draw.permutation([3, 5]))
    d_model = int(draw.choice([6, 7, 8]))
    spread = draw.uniform(0.5, 3, size=(batch, words, 1))
    share = draw.uniform(0.3, 0.5, size=(batch, words, 1))  # of the spread: small enough that both signs occur
    plain = draw.normal(size=(batch, words, d_model))
    plain = (plain - plain.mean(axis=-1, keepdims=True)) / plain.std(axis=-1, keepdims=True)
    x = (plain + share) * spread
    normal = {
        "x": x,
        "gamma": draw.uniform(0.4, 1.8, size=d_model),
        "beta": draw.normal(size=d_model),
        "cotangent": draw.normal(size=(words, d_model)),
    }
    return {name: array.astype(np.float32) for name, array in normal.items()}


def norm_cases(inputs: Arrays) -> Arrays:
    """The x of each call, by the name of its case."""
    x = inputs["x"]
    words = x[0]
    level = np.float32(0.5)
    return {
        "words": words,
        "other": x[1],
        "one": words[0],
        "batch": x,
        "heads": np.stack([x, -x]),
        "faint": (words - words.mean(axis=-1, keepdims=True)) * np.float32(3e-5),
        "constant": np.full_like(words, level),
        "zero": np.zeros_like(words),
        "far": words + np.float32(3000),
        "half": (words * np.float32(100)).astype(np.float16),
        "faint_half": (words / np.float32(100)).astype(np.float16),
        "double": words.astype(np.float64),
    }


def drive_norm(norm: Callable, inputs: Arrays, names: tuple[str, ...], cases: tuple[str, ...]) -> Arrays:
    """What both norms are asked: fresh parameters, the calls of `cases`, gradients, another ε, this device."""
    d_model, x = inputs["x"].shape[-1], norm_cases(inputs)
    state = {name: inputs[name] for name in names}
    module = filled(norm, [d_model], state)
    arrays: Arrays = {}
    for name in ("words", "other", *cases):
        arrays |= run_case(name, module, {"x": x[name]}, ("output",))
    arrays |= run_case("again", module.train(), {"x": x["words"]}, ("output",))
    arrays |= module_gradient_case("gradient", module, {"x": x["words"]}, inputs["cotangent"])
    arrays |= run_case("eps", filled(norm, [d_model, OTHER_EPS], state), {"x": x["words"]}, ("output",))
    arrays |= run_case("double", module.double(), {"x": x["double"]}, ("output",))
    device = pick_device()
    arrays |= run_case("device", module.float().to(device), {"x": x["words"]}, ("output",), device.type)
    fresh = dict(call(norm, d_model).named_parameters())
    return arrays | {f"fresh.{name}": array for name, array in to_arrays(fresh).items()}


def drive_layer(norm: Callable, inputs: Arrays) -> Arrays:
    return drive_norm(norm, inputs, ("gamma", "beta"), ("one", "batch", "heads", "faint", "constant", "far"))


def drive_rms(norm: Callable, inputs: Arrays) -> Arrays:
    return drive_norm(norm, inputs, ("gamma",), ("one", "batch", "heads", "faint", "zero", "half", "faint_half"))


def make_residual(seed: int) -> Arrays:
    """What `make_norm` gives, and the matrix of a sub-layer tanh(h @ weight)."""
    inputs = make_norm(seed)
    d_model = inputs["x"].shape[-1]
    weight = np.random.default_rng([seed, 1]).normal(scale=0.7, size=(d_model, d_model))
    return inputs | {"weight": weight.astype(np.float32)}


class Sublayer:
    """tanh(h @ weight), which counts how often it is called."""

    def __init__(self, weight: np.ndarray):
        self.weight, self.calls = torch.from_numpy(weight.copy()), 0

    def __call__(self, h: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return torch.tanh(h @ self.weight.to(h.dtype))


def drive_residual(residual: Callable, inputs: Arrays) -> Arrays:
    x, d_model = inputs["x"], inputs["x"].shape[-1]
    state = {"norm.gamma": inputs["gamma"], "norm.beta": inputs["beta"]}
    arrays: Arrays = {}
    for place in PLACES:
        module, sublayer = filled(residual, [d_model, place], state), Sublayer(inputs["weight"])
        arrays |= run_case(f"{place}_norm", module.norm, {"x": x}, ("output",))
        arrays |= run_case(place, module, {"x": x, "sublayer": sublayer}, ("output",))
        arrays[f"{place}_calls.count"] = np.array(sublayer.calls)
        other = {"x": x, "sublayer": Sublayer(-inputs["weight"])}
        arrays |= run_case(f"{place}_other", module, other, ("output",))
        arrays |= module_gradient_case(f"{place}_gradient", module, {"x": x[0]}, inputs["cotangent"], sublayer)
    one, other = (_norm_of(call(residual, d_model, "pre")) for _ in range(2))
    shared = {id(parameter) for parameter in one.parameters()} & {id(parameter) for parameter in other.parameters()}
    default = filled(residual, [d_model], state)
    arrays |= run_case("default", default, {"x": x, "sublayer": Sublayer(inputs["weight"])}, ("output",))
    return arrays | {"shared.count": np.array(len(shared))}


def _norm_of(module: nn.Module) -> nn.Module:
    if not isinstance(getattr(module, "norm", None), nn.Module):
        raise Trouble("the module has no `norm`: the check needs this name, set in `__init__`")
    return module.norm


QUESTIONS = {
    "q1": Question("LayerNorm", "LayerNorm(d_model, eps=1e-5)", make_norm, drive_layer, SCRATCH),
    "q2": Question("RMSNorm", "RMSNorm(d_model, eps=1e-6)", make_norm, drive_rms, SCRATCH),
    "q3": Question(
        "add and norm, before or after", 'Residual(d_model, place="pre")', make_residual, drive_residual, SCRATCH
    ),
}
