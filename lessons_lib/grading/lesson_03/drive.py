"""Lesson 3: how the learner's splitting and merging of heads, and their module, are called."""

from collections.abc import Callable

import numpy as np
import torch

from lessons_lib.device import pick_device
from lessons_lib.grading.drive.calls import gradient_case, run_case
from lessons_lib.grading.drive.modules import filled, module_gradient_case
from lessons_lib.grading.drive.question import Arrays, Question

MODULE = "MultiHeadAttention(d_model, n_heads)"
LAYERS = ("query", "key", "value", "output")
RETURNS = ("output", "weights")
SIZES = ((4, 10), (3, 5), (4, 5), (3, 10))  # heads, and the width of a head; two seeds in a row share neither


def make_heads(seed: int) -> Arrays:
    """x (B, T, D) and the heads (B, H, T, d_head) of another such tensor; all sizes different."""
    draw = np.random.default_rng(seed)
    n_heads, d_head = SIZES[seed % len(SIZES)]
    words = int(draw.choice([11, 7]))  # no multiple of the heads
    normal = {
        "x": draw.normal(size=(2, words, n_heads * d_head)),
        "heads": draw.normal(size=(2, n_heads, words, d_head)),
    }
    return {name: array.astype(np.float32) for name, array in normal.items()}


def make_module(seed: int) -> Arrays:
    """query (B, T, D), source (B, S, D), masks, cotangents, and the eight parameters; n_heads as an array of one."""
    draw = np.random.default_rng(seed)
    n_heads, d_head = SIZES[seed % len(SIZES)]
    width = n_heads * d_head
    n_queries, n_keys = (int(size) for size in draw.permutation([6, 7, 11])[:2])
    normal = {
        "query": draw.normal(scale=1.5, size=(2, n_queries, width)),
        "source": draw.normal(scale=1.5, size=(2, n_keys, width)),
        "cotangent": draw.normal(size=(2, n_queries, width)),
    }
    for layer in LAYERS:
        normal[f"{layer}.weight"] = draw.normal(scale=1.5 * width**-0.5, size=(width, width))
        normal[f"{layer}.bias"] = draw.normal(scale=0.5, size=width)
    arrays = {name: array.astype(np.float32) for name, array in normal.items()}
    ranks = draw.random((n_queries, n_keys)).argsort(axis=-1)
    lengths = draw.permutation([n_keys - 3, n_keys - 1])
    return arrays | {
        "n_heads": np.array([n_heads]),
        "mask": ranks < draw.integers(2, n_keys - 1, size=(n_queries, 1)),  # two keys at least, and not two at least
        "padding": (np.arange(n_keys) < lengths[:, None])[:, None, None, :],  # (B, 1, 1, S)
        "causal": np.tri(n_queries, dtype=bool),
        "full": draw.random((2, n_heads, n_queries, n_keys)) < 0.7,
    }


def state(inputs: Arrays) -> Arrays:
    """The parameters among the inputs."""
    return {name: array for name, array in inputs.items() if "." in name}


def plain_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call without a mask, by the name of its case."""
    query, source = inputs["query"], inputs["source"]
    level = min(query.shape[1], source.shape[1])
    return {
        "self": {"query": query},
        "cross": {"query": query, "source": source},
        "level": {"query": query[:, :level], "source": source[:, :level]},
        "short": {"query": query[:1, :2], "source": source[:1, :1]},
        "shuffled": {"query": query, "source": source[:, ::-1]},
    }


def masked_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call with a mask; in the first query's row of "empty" no key is allowed."""
    query, source, empty = inputs["query"], inputs["source"], inputs["mask"].copy()
    empty[0] = False
    return {
        "masked": {"query": query, "source": source, "mask": inputs["mask"]},
        "causal": {"query": query, "source": None, "mask": inputs["causal"]},
        "padding": {"query": query, "source": source, "mask": inputs["padding"]},
        "full": {"query": query, "source": source, "mask": inputs["full"]},
        "empty": {"query": query, "source": source, "mask": empty},
    }


def drive_heads(answers: tuple[Callable, Callable], inputs: Arrays) -> Arrays:
    split, merge = answers
    x, heads = inputs["x"], inputs["heads"]
    n_heads = heads.shape[1]
    arrays = run_case("split", split, {"x": x, "n_heads": n_heads}, ("heads",))
    arrays |= run_case("merge", merge, {"heads": heads}, ("x",))
    arrays |= run_case("whole", split, {"x": x, "n_heads": 1}, ("heads",))
    arrays |= run_case("both", lambda x: merge(split(x, n_heads)), {"x": x}, ("x",))
    arrays |= gradient_case("split_gradient", lambda x: split(x, n_heads), {"x": x}, heads)
    return arrays | gradient_case("merge_gradient", merge, {"heads": heads}, x)


def drive_plain(answer: Callable, inputs: Arrays) -> Arrays:
    module = _module(answer, inputs)
    arrays: Arrays = {}
    for name, arguments in plain_cases(inputs).items():
        arrays |= run_case(name, lambda *given: _first(module(*given)), arguments, ("output",))
    self_attention = plain_cases(inputs)["self"]
    arrays |= run_case("again", lambda *given: _first(module(*given)), self_attention, ("output",))
    cross = plain_cases(inputs)["cross"]
    arrays |= module_gradient_case("gradient", module, cross, inputs["cotangent"])
    device = pick_device().type
    module.to(device)
    arrays |= run_case("device", lambda *given: _first(module(*given)), cross, ("output",), device=device)
    module.to("cpu", torch.float64)
    in_double = {name: array.astype(np.float64) for name, array in cross.items()}
    return arrays | run_case("double", lambda *given: _first(module(*given)), in_double, ("output",))


def drive_masked(answer: Callable, inputs: Arrays) -> Arrays:
    module = _module(answer, inputs)
    arrays = run_case("cross", module, plain_cases(inputs)["cross"], RETURNS)
    arrays |= run_case("output", lambda *given: _first(module(*given)), plain_cases(inputs)["cross"], ("output",))
    for name, arguments in masked_cases(inputs).items():
        arrays |= run_case(name, module, arguments, RETURNS)
    arrays |= run_case("after", module, plain_cases(inputs)["cross"], RETURNS)
    empty = masked_cases(inputs)["empty"]
    mask = torch.from_numpy(empty.pop("mask"))
    return arrays | module_gradient_case("gradient", module, empty, inputs["cotangent"], mask)


def _module(answer: Callable, inputs: Arrays) -> torch.nn.Module:
    """The learner's module with the weights of the inputs."""
    construct = {"d_model": inputs["query"].shape[-1], "n_heads": int(inputs["n_heads"][0])}
    return filled(answer, [*construct.values()], state(inputs))


def _first(returned):
    """The output, whether or not weights come with it."""
    return returned[0] if isinstance(returned, tuple | list) and returned else returned


QUESTIONS = {
    "q1": Question(
        title="split and merge heads",
        signature="split_heads(x, n_heads)",
        also=("merge_heads(heads)",),
        make=make_heads,
        drive=drive_heads,
        forbidden=("lessons_lib.attention",),
    ),
    "q2": Question("multi-head attention", MODULE, make_module, drive_plain, ("lessons_lib.attention",)),
    "q3": Question("a mask, and the weights", MODULE, make_module, drive_masked, ("lessons_lib.attention",)),
}
