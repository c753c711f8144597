"""Lesson 1: how the learner's attention and their previous-word head are called."""

import numpy as np

from lessons_lib.device import pick_device
from lessons_lib.grading.drive.calls import gradient_case, run_case
from lessons_lib.grading.drive.question import Arrays, Question

ATTENTION = "scaled_dot_product_attention(query, key, value, mask=None)"
RETURNS = ("output", "weights")


def make_tensors(seed: int) -> Arrays:
    """query (B, H, T, d_head), key (B, H, S, d_head), value (B, H, S, d_value), all sizes different, and none of
    them 8."""
    draw = np.random.default_rng(seed)
    n_queries, n_keys, d_head, d_value = (int(size) for size in draw.permutation([5, 6, 7, 10]))
    normal = {
        "query": draw.normal(scale=1.5, size=(2, 3, n_queries, d_head)),
        "key": draw.normal(scale=1.5, size=(2, 3, n_keys, d_head)),
        "value": draw.normal(size=(2, 3, n_keys, d_value)),
        "cotangent": draw.normal(size=(n_queries, d_value)),
    }
    arrays = {name: array.astype(np.float32) for name, array in normal.items()}
    return arrays | {
        "order": np.roll(np.arange(n_keys), draw.integers(1, n_keys)),
        "mask": make_mask(draw, n_queries, n_keys),
    }


def make_mask(draw: np.random.Generator, n_queries: int, n_keys: int) -> np.ndarray:
    """Bool (T, S): each query may attend to two keys at least, and not to two at least."""
    ranks = draw.random((n_queries, n_keys)).argsort(axis=-1)
    return ranks < draw.integers(2, n_keys - 1, size=(n_queries, 1))


def plain_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call without a mask, by the name of its case."""
    heads = {name: inputs[name] for name in ("query", "key", "value")}  # (B, H, ·, ·)
    plain = {name: array[0, 0] for name, array in heads.items()}
    side = min(*plain["query"].shape, *plain["value"].shape)
    order = inputs["order"]
    return {
        "plain": plain,
        "square": {name: array[:side, :side] for name, array in plain.items()},
        "batch": {name: array[:, 0] for name, array in heads.items()},
        "heads": heads,
        "shuffled": plain | {"key": plain["key"][order], "value": plain["value"][order]},
        "large": plain | {"query": plain["query"] * 100},
        "double": {name: array.astype(np.float64) for name, array in plain.items()},
    }


def masked_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call with a mask; in the first query's row of "empty" no key is allowed."""
    heads = {name: inputs[name] for name in ("query", "key", "value")}
    plain = {name: array[0, 0] for name, array in heads.items()}
    empty = inputs["mask"].copy()
    empty[0] = False
    padding = inputs["mask"][:2, None, None, :]  # (B, 1, 1, S)
    return {
        "masked": plain | {"mask": inputs["mask"]},
        "empty": plain | {"mask": empty},
        "padding": heads | {"mask": padding},
        "half": {name: array.astype(np.float16) for name, array in plain.items()} | {"mask": inputs["mask"]},
    }


def drive_plain(attend, inputs: Arrays) -> Arrays:
    cases = plain_cases(inputs)
    arrays: Arrays = {}
    for name, arguments in cases.items():
        arrays |= run_case(name, attend, arguments, RETURNS)
    device = pick_device().type
    arrays |= run_case("device", attend, cases["plain"], RETURNS, device=device)
    arrays |= run_case("again", attend, cases["plain"], RETURNS)
    return arrays | gradient_case("gradient", attend, cases["plain"], inputs["cotangent"])


def drive_masked(attend, inputs: Arrays) -> Arrays:
    cases = masked_cases(inputs)
    arrays = run_case("plain", attend, plain_cases(inputs)["plain"], RETURNS)
    for name, arguments in cases.items():
        arrays |= run_case(name, attend, arguments, RETURNS)
    arrays |= run_case("again", attend, cases["masked"], RETURNS)
    return arrays | gradient_case("gradient", attend, cases["empty"], inputs["cotangent"])


def make_lengths(seed: int) -> Arrays:
    """Lengths of sentences: the longest that the question names, two between, and the shortest."""
    return {"lengths": np.array([40, *np.random.default_rng(seed).integers(3, 20, size=2), 2])}


def drive_head(head, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for length in inputs["lengths"].tolist():
        arrays |= run_case(f"length_{length}", head, {"length": length}, ("query", "key"))
    return arrays


QUESTIONS = {
    "q1": Question("attention without a mask", ATTENTION, make_tensors, drive_plain, ("lessons_lib.attention",)),
    "q2": Question("attention with a mask", ATTENTION, make_tensors, drive_masked, ("lessons_lib.attention",)),
    "q3": Question("a head that looks one word back", "previous_word_head(length)", make_lengths, drive_head),
}
