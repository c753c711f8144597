"""Lesson 7: how the learner's feed-forward network is built, filled with weights and called, and their memory read."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from lessons_lib.device import pick_device
from lessons_lib.grading.arrays import text_array
from lessons_lib.grading.drive.calls import call, run_case, to_arrays
from lessons_lib.grading.drive.modules import fill
from lessons_lib.grading.drive.question import Arrays, Question, Trouble

SIGNATURE = 'FeedForward(d_model, d_ff, activation="relu")'
NAMES = [f"{layer}.{kind}" for layer in ("expand", "gate", "contract") for kind in ("weight", "bias")]
OTHER_WIDTHS = (17, 24, 40)  # for d_ff: two thirds of it are 11.33, 16 and 26.67
MEMORY = ("expand_weight", "expand_bias", "contract_weight", "contract_bias")
MEMORY_RETURNS = ("fired", "added", "output")


def make_network(seed: int) -> Arrays:
    """x (B, T, D), the sizes, and weights for a network of any width up to the given one; all sizes different."""
    draw = np.random.default_rng(seed)
    batch, words, d_model = (int(size) for size in draw.permutation([3, 5, 7]))
    d_ff = int(draw.choice([22, 28, 34]))  # two thirds of it lie nearer to the whole number above
    widest = 8 * d_ff
    normal = {
        "x": draw.normal(scale=1.5, size=(batch, words, d_model)),
        "expand_weight": draw.normal(size=(widest, d_model)),
        "expand_bias": draw.normal(size=widest),
        "gate_weight": draw.normal(size=(widest, d_model)),
        "gate_bias": draw.normal(size=widest),
        "contract_weight": draw.normal(size=(d_model, widest)),
        "contract_bias": draw.normal(size=d_model),
        "cotangent": draw.normal(size=(words, d_model)),
    }
    sizes = {"d_model": np.array(d_model), "d_ff": np.array(d_ff)}
    return {name: array.astype(np.float32) for name, array in normal.items()} | sizes


def weights(inputs: Arrays, names: list[str], width: int) -> Arrays:
    """The weights called `names` ("expand.weight", …) of a network with `width` hidden neurons."""
    cut = {}
    for name in names:
        array = inputs[name.replace(".", "_")]
        if name == "contract.weight":
            array = array[:, :width]
        elif name != "contract.bias":
            array = array[:width]
        cut[name] = array
    return cut


def network_cases(inputs: Arrays) -> dict[str, np.ndarray]:
    """What the network is given in each call, by the name of its case."""
    x = inputs["x"]
    return {"words": x[0], "batch": x, "one": x[0, 0], "large": x[0] * 1000, "double": x[0].astype(np.float64)}


def build(prefix: str, network: Callable, inputs: Arrays, *options: str) -> tuple[nn.Module | None, Arrays]:
    """A network of the learner's class with our weights in it, and the case `prefix` with its names and shapes.

    The module is None where the names are not those of the question; the judge says so.
    """
    try:
        module = call(network, int(inputs["d_model"]), int(inputs["d_ff"]), *options)
        if not isinstance(module, nn.Module):
            raise Trouble(f"`FeedForward` gives a {type(module).__name__}, not an nn.Module: derive the class from it")
        if not hasattr(module, "_parameters"):
            raise Trouble("`FeedForward` is no nn.Module yet: begin __init__ with super().__init__()")
        state = dict(module.named_parameters(remove_duplicate=False))
    except Trouble as trouble:
        return None, {f"{prefix}.error": text_array(str(trouble))}
    named = {id(value) for name, value in state.items() if name in NAMES}  # a second name is no second parameter
    state = {name: value for name, value in state.items() if name in NAMES or id(value) not in named}
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    arrays = {f"{prefix}.names": text_array(" ".join(sorted(shapes)))}
    known = [name for name in shapes if name.replace(".", "_") in inputs and 0 < len(shapes[name]) <= 2]
    arrays |= {f"{prefix}.{name.replace('.', '_')}": np.array(shapes[name]) for name in known}
    width = shapes.get("expand.weight", (0,))[0]
    given = weights(inputs, known, width)
    if set(known) != set(shapes) or any(given[name].shape != shapes[name] for name in known):
        return None, arrays
    try:
        fill(module, {name: torch.from_numpy(array.copy()) for name, array in given.items()})
    except Trouble as trouble:
        return None, {f"{prefix}.error": text_array(str(trouble))}
    return module, arrays


def gradient_case(case: str, module: nn.Module, x: np.ndarray, cotangent: np.ndarray) -> Arrays:
    """Gradients of sum(output · cotangent): of x, and of each weight."""
    leaf = torch.from_numpy(x.copy()).requires_grad_()
    mine = dict(module.named_parameters(remove_duplicate=False))
    leaves = {"x": leaf} | {name.replace(".", "_"): mine[name] for name in NAMES if name in mine}
    try:
        output = call(module, leaf)
        if type(output) is not torch.Tensor or not output.requires_grad:
            raise Trouble("the result is cut off from its inputs (numpy, .detach(), .data, .item() or no_grad?)")
        weighted = (output * torch.from_numpy(cotangent)).sum()
        gradients = torch.autograd.grad(weighted, list(leaves.values()), materialize_grads=True)
        arrays = to_arrays(dict(zip(leaves, gradients, strict=True)))
    except Trouble as trouble:
        return {f"{case}.error": text_array(str(trouble))}
    except RuntimeError as error:
        return {f"{case}.error": text_array(f"backward fails: {str(error).splitlines()[0]}")}
    return {f"{case}.{name}": value for name, value in arrays.items()}


def drive_relu(network: Callable, inputs: Arrays) -> Arrays:
    module, arrays = build("built", network, inputs)
    if module is None:
        return arrays
    cases = network_cases(inputs)
    for name in ("words", "batch", "one", "large"):
        arrays |= run_case(name, module, {"x": cases[name]}, ("output",))
    arrays |= run_case("again", module, {"x": cases["words"]}, ("output",))
    arrays |= gradient_case("gradient", module, cases["words"], inputs["cotangent"])
    arrays |= run_case("double", module.double(), {"x": cases["double"]}, ("output",))
    device = pick_device()
    return arrays | run_case("device", module.float().to(device), {"x": cases["words"]}, ("output",), device.type)


def drive_gated(network: Callable, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for activation in ("relu", "gelu", "swiglu"):
        module, built = build(f"built_{activation}", network, inputs, activation)
        arrays |= built
        if module is not None:
            for name in ("words", "batch"):
                case = f"{name}_{activation}"
                arrays |= run_case(case, module, {"x": network_cases(inputs)[name]}, ("output",))
        if module is not None and activation == "swiglu":
            arrays |= gradient_case(f"gradient_{activation}", module, inputs["x"][0], inputs["cotangent"])
    return arrays | _other_widths(network, inputs)


def _other_widths(network: Callable, inputs: Arrays) -> Arrays:
    """How many hidden neurons a gated network has for each of `OTHER_WIDTHS`."""
    widths = []
    try:
        for d_ff in OTHER_WIDTHS:
            module = call(network, int(inputs["d_model"]), d_ff, "swiglu")
            widths.append(len(dict(module.named_parameters(remove_duplicate=False))["expand.weight"]))
    except (Trouble, KeyError, AttributeError) as error:
        return {"others.error": text_array(str(error))}
    return {"others.width": np.array(widths)}


def make_memory(seed: int) -> Arrays:
    """A token (D,) and the weights of a network in which about half of the F neurons fire for it."""
    draw = np.random.default_rng(seed)
    d_model, d_ff = (5, 11) if draw.random() < 0.5 else (6, 13)
    normal = {
        "token": draw.normal(scale=1.5, size=d_model),
        "expand_weight": draw.normal(size=(d_ff, d_model)),
        "expand_bias": draw.normal(scale=2.0, size=d_ff),
        "contract_weight": draw.normal(size=(d_model, d_ff)),
        "contract_bias": draw.normal(size=d_model),
    }
    return {name: array.astype(np.float32) for name, array in normal.items()}


def memory_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call; in "silent" no neuron fires, some only just; in "single" one does, in "many" 40."""
    plain = {name: inputs[name] for name in ("token", *MEMORY)}
    bias = -np.abs(inputs["expand_bias"])
    bias[::2] = 0.0
    silent = plain | {"token": np.zeros_like(inputs["token"]), "expand_bias": bias}
    sums = inputs["expand_weight"] @ inputs["token"] + inputs["expand_bias"]
    second, first = np.sort(sums)[-2:]
    many = {
        "expand_weight": np.zeros((40, len(inputs["token"])), np.float32),
        "expand_bias": (1 + 7 * np.arange(40) % 40).astype(np.float32),  # each of 1 to 40 once
        "contract_weight": np.tile(inputs["contract_weight"], 4)[:, :40],
    }
    return {
        "plain": plain,
        "opposite": plain | {"token": -inputs["token"]},
        "silent": silent,
        "single": plain | {"expand_bias": inputs["expand_bias"] - (first + second) / 2},
        "many": plain | many,
        "double": {name: array.astype(np.float64) for name, array in plain.items()},
    }


def drive_memory(read: Callable, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for name, arguments in memory_cases(inputs).items():
        arrays |= run_case(name, read, arguments, MEMORY_RETURNS)
    return arrays


QUESTIONS = {
    "q1": Question("two matrices and a ReLU", SIGNATURE, make_network, drive_relu, ("lessons_lib.feedforward",)),
    "q2": Question(
        "the activation chosen, and a gate", SIGNATURE, make_network, drive_gated, ("lessons_lib.feedforward",)
    ),
    "q3": Question(
        title="the network as a memory",
        signature="read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias)",
        make=make_memory,
        drive=drive_memory,
        forbidden=("lessons_lib.feedforward",),
    ),
}
