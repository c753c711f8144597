"""Lesson 11: how the learner's step with a cache, their writing and their attention over blocks are called."""

from collections.abc import Iterator

import numpy as np
import torch

from lessons_lib.grading.arrays import text_array
from lessons_lib.grading.drive.calls import call, run_case, to_arrays
from lessons_lib.grading.drive.question import Arrays, Question, Trouble

VOCABULARY, LONGEST = 41, 40  # of the decoder of question 2
ALWAYS = (0, 1, 2, 3)  # tokens that end a sentence elsewhere, or mean something: here they are like all others
D_HEAD = 7  # its root is no whole number, and neither is half of it that root
TENSORS = ("query", "key", "value")
KEPT = ("output", "keys", "values")


def make_step(seed: int) -> Arrays:
    """query, key, value (B, H, N, d_head) of a whole text, of which the first `past` tokens are there already."""
    draw = np.random.default_rng([11, seed])
    past, new = int(draw.integers(4, 7)), 3
    arrays = {name: draw.normal(size=(2, 5, past + new, D_HEAD)).astype(np.float32) for name in TENSORS}
    arrays |= {f"of_{name}": draw.normal(size=(2, 5, past + new, D_HEAD)) for name in ("keys", "values")}
    return arrays | {"past": np.array(past), "of_output": draw.normal(size=(2, 5, new, D_HEAD))}


def step_cases(inputs: Arrays) -> dict[str, tuple[int, int]]:
    """Which tokens are new in each call: the first of them, and the first behind them."""
    past, end = int(inputs["past"]), inputs["query"].shape[2]
    return {"one": (past, past + 1), "prompt": (0, end), "several": (past, end)}


def drive_step(answer, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for name, (start, end) in step_cases(inputs).items():
        arrays |= _step_case(name, answer, inputs, start, end)
    return arrays | _chain(answer, inputs) | _gradients(answer, inputs)


def _gradients(answer, inputs: Arrays) -> Arrays:
    """How the output of several new tokens, and what is kept, depend on the new query, key and value."""
    start, end = step_cases(inputs)["several"]
    past = tuple(_new(inputs, 0, start)[1:])
    leaves = [tensor.requires_grad_() for tensor in _new(inputs, start, end)]
    try:
        flat = _flat(call(answer, *leaves, past))
        due = {"output": leaves[0].shape, "keys": inputs["of_keys"].shape, "values": inputs["of_values"].shape}
        if any(getattr(flat[name], "shape", None) != shape for name, shape in due.items()):
            raise Trouble("output, keys or values have another shape than what they are made of")
        weighted = sum((flat[name].double() * torch.from_numpy(inputs[f"of_{name}"])).sum() for name in KEPT)
        if not weighted.requires_grad:
            raise Trouble("the result is cut off from its inputs (numpy, .detach(), .data, .item() or no_grad?)")
        gradients = torch.autograd.grad(weighted, leaves, materialize_grads=True)
    except Trouble as trouble:
        return {"gradient.error": text_array(str(trouble))}
    return {f"gradient.{name}": array for name, array in to_arrays(dict(zip(TENSORS, gradients, strict=True))).items()}


def _new(inputs: Arrays, start: int, end: int) -> list[torch.Tensor]:
    return [torch.from_numpy(inputs[name][:, :, start:end].copy()) for name in TENSORS]


def _step_case(case: str, answer, inputs: Arrays, start: int, end: int) -> Arrays:
    past = tuple(_new(inputs, 0, start)[1:]) if start else None
    try:
        arrays = to_arrays(_flat(call(answer, *_new(inputs, start, end), past)))
        if past is not None:
            arrays |= to_arrays({"past_keys": past[0], "past_values": past[1]})
    except Trouble as trouble:
        return {f"{case}.error": text_array(str(trouble))}
    return {f"{case}.{name}": array for name, array in arrays.items()}


def _chain(answer, inputs: Arrays) -> Arrays:
    """A whole text, token by token, each call with what the one before it kept."""
    outputs, past = [], None
    try:
        for place in range(inputs["query"].shape[2]):
            given = _flat(call(answer, *_new(inputs, place, place + 1), past))
            outputs.append(to_arrays({"output": given["output"]})["output"])
            past = (given["keys"], given["values"])
    except Trouble as trouble:
        return {"chain.error": text_array(str(trouble))}
    if len({output.shape for output in outputs}) > 1:
        return {"chain.error": text_array("the output changes its shape from one token to the next")}
    return {"chain.output": np.concatenate(outputs, axis=2)}


def _flat(returned) -> dict:
    """`output, (keys, values)` as three things by name."""
    if isinstance(returned, tuple | list) and len(returned) == 3:
        raise Trouble("the function returns three things; keys and values go together: `return output, (keys, values)`")
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise Trouble("the function must give the output and what is kept: `return output, (keys, values)`")
    output, kept = returned
    if isinstance(output, tuple | list) and len(output) == 2:
        raise Trouble(
            "the output is a pair: scaled_dot_product_attention gives output and weights; take the first, [0]"
        )
    if not isinstance(kept, tuple | list) or len(kept) != 2:
        raise Trouble("what is kept is no pair of keys and values: `return output, (keys, values)`")
    return dict(zip(KEPT, (output, *kept), strict=True))


def make_text(seed: int) -> Arrays:
    """A prompt (B, P), how many tokens to write, and the weights of a small decoder."""
    draw = np.random.default_rng([111, seed])
    prompt, width = int(draw.integers(3, 6)), 12
    matrix = lambda *shape: draw.normal(size=shape).astype(np.float32)  # noqa: E731
    return {
        "prompt": draw.integers(0, VOCABULARY, (7, prompt)),
        "n_tokens": np.array(int(draw.integers(6, 9))),
        "embedding": matrix(VOCABULARY, width),
        "table": matrix(LONGEST, width),
        "projections": matrix(3, width, width) / 3,
        "output": matrix(width, VOCABULARY),
    }


class Decoder:
    """The step of the question: one causal attention over tokens and places, which notes how it is called."""

    def __init__(self, inputs: Arrays):
        self.weights = {name: torch.from_numpy(inputs[name].copy()) for name in ("embedding", "table", "output")}
        self.projections = torch.from_numpy(inputs["projections"].copy())
        self.calls: list[tuple[int, int, int]] = []  # tokens, start, length of the past

    def __call__(self, tokens, start, past):
        if not isinstance(tokens, torch.Tensor) or tokens.dim() != 2 or tokens.dtype != torch.long:
            raise TypeError("step reads a tensor (B, T) of token ids")
        if not isinstance(start, int):
            raise TypeError("start is the place of the first new token, an int")
        if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < VOCABULARY:
            raise ValueError(f"{int(tokens.max())} is none of the {VOCABULARY} tokens: take argmax along dim=-1")
        length = tokens.shape[1]
        before = 0 if past is None else past[0].shape[1]
        self.calls.append((length, start, before))
        table = self.weights["table"][start : start + length]
        if before and length > 1 and len(table) < length:
            raise ValueError(
                f"{length} tokens for step, and {before} in the past: behind the prompt only the token written last is "
                "new"
            )
        if start < 0 or length == 0 or len(table) < length:
            raise ValueError(
                f"no place {start} for {length} tokens: start is how many lie before them, {before} in the past"
            )
        x = self.weights["embedding"][tokens] + table  # (B, T, D)
        query, key, value = (x @ matrix for matrix in self.projections)
        if past is not None:
            key, value = (torch.cat(pair, dim=1) for pair in zip(past, (key, value), strict=True))
        scores = query @ key.transpose(1, 2) / query.shape[-1] ** 0.5
        allowed = torch.ones(scores.shape[1:], dtype=torch.bool).tril(before)
        mixed = scores.masked_fill(~allowed, -torch.inf).softmax(-1) @ value
        return (x + 3 * mixed) @ self.weights["output"], (key, value)


class Always(Decoder):
    """A step for which one and the same token is the most probable, whatever it has read."""

    def __init__(self, inputs: Arrays, token: int):
        super().__init__(inputs)
        self.token = token

    def __call__(self, tokens, start, past):
        logits, past = super().__call__(tokens, start, past)
        logits[..., self.token] = logits.max() + 1
        return logits, past


def drive_text(answer, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    several, prompt = int(inputs["n_tokens"]), inputs["prompt"]
    asked = {"text": (several, prompt), "again": (several, prompt), "row": (several, prompt[:1])}
    for case, (n_tokens, given) in (asked | {"one": (1, prompt), "nothing": (0, prompt)}).items():
        step = Decoder(inputs)
        arguments = {"step": step, "prompt": given, "n_tokens": n_tokens}
        arrays |= run_case(case, answer, arguments, ("tokens",))
        arrays[f"{case}.calls"] = np.array(step.calls, dtype=np.int64).reshape(-1, 3)
    for token in ALWAYS:
        ends = np.concatenate(
            [prompt[:, :-1], np.full_like(prompt[:, -1:], token)], axis=1
        )  # to write it again is no end
        arguments = {"step": Always(inputs, token), "prompt": ends, "n_tokens": several}
        arrays |= run_case(f"always_{token}", answer, arguments, ("tokens",))
    return arrays


def make_blocks(seed: int) -> Arrays:
    """query (H, T, d_head), key (H, S, d_head) and value (H, S, d_value), and the sizes of the blocks of keys."""
    draw = np.random.default_rng([1111, seed])
    sizes = draw.permutation([4, 3, 1, 2])
    if sizes[0] == 1:
        sizes[:2] = sizes[1::-1]  # so that the first block says something about the softmax
    n = int(sizes.sum())
    return {
        "query": draw.normal(scale=2.0, size=(2, 5, D_HEAD)).astype(np.float32),
        "key": draw.normal(scale=1.5, size=(2, n, D_HEAD)).astype(np.float32),
        "value": draw.normal(size=(2, n, 6)).astype(np.float32),
        "sizes": sizes,
    }


def block_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call."""
    cases = {"plain": inputs, "whole": inputs | {"sizes": np.array([inputs["key"].shape[1]])}}
    key = inputs["key"].copy()
    key[..., 0] = 1
    for name, far in (("large", 2000), ("low", -2000)):  # all scores are moved by the same 1000: no weight changes
        query = inputs["query"].copy()
        query[..., 0] = far
        cases[name] = inputs | {"query": query, "key": key}
    # Rows, and heads, that lie far above and far below each other, in every block alike: no weight changes here either.
    query = inputs["query"].copy()
    query[..., 0] = np.where(np.add.outer([0, 1], np.arange(query.shape[1])) % 2, 2000, -2000)
    cases["rows"] = inputs | {"query": query, "key": key}
    # The first block lies far above those behind it, which then weigh nothing.
    first = np.arange(key.shape[1]) < int(inputs["sizes"][0])
    falling = key.copy()
    falling[..., 0] = np.where(first, 1.0, -1.0)
    query = inputs["query"].copy()
    query[..., 0] = 400
    cases["falling"] = inputs | {"query": query, "key": falling}
    wide = key.copy()
    wide[..., 0] = np.where(np.arange(key.shape[1]) % 2, 1.0, -1.0)
    cases["wide"] = inputs | {"query": query, "key": wide}  # the scores of one block lie far apart
    return cases


def blocks_of(case: Arrays) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The blocks, one after the other, each in the memory of the one before it."""
    key, value = (torch.from_numpy(case[name].copy()) for name in ("key", "value"))
    most = int(case["sizes"].max())
    keys, values = torch.zeros_like(key[:, :most]), torch.zeros_like(value[:, :most])
    start = 0
    for size in case["sizes"].tolist():
        keys[:, :size], values[:, :size] = key[:, start : start + size], value[:, start : start + size]
        yield keys[:, :size], values[:, :size]
        start += size


def drive_blocks(answer, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for name, case in block_cases(inputs).items():
        arrays |= run_case(name, answer, {"query": case["query"], "blocks": blocks_of(case)}, ("output",))
    return arrays


QUESTIONS = {
    "q1": Question(
        title="a step with a cache",
        signature="attend_with_cache(query, key, value, past)",
        make=make_step,
        drive=drive_step,
        forbidden=("lessons_lib.cache", "lessons_lib.transformer"),
    ),
    "q2": Question(
        title="writing that reads nothing twice",
        signature="generate(step, prompt, n_tokens)",
        make=make_text,
        drive=drive_text,
        forbidden=("lessons_lib.families", "lessons_lib.translation"),
    ),
    "q3": Question(
        title="attention over blocks seen once",
        signature="attention_over_blocks(query, blocks)",
        make=make_blocks,
        drive=drive_blocks,
        forbidden=("lessons_lib.attention",),
    ),
}
