"""Lesson 11: what the learner's step with a cache, their writing and their attention over blocks must give."""

import re

import numpy as np

from lessons_lib.grading.drive.advice import sizes
from lessons_lib.grading.judge.compare import close, difference, name_mistake
from lessons_lib.grading.judge.properties import changed_in_place, differs, other_dtype
from lessons_lib.grading.judge.reference import attention
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.judge.variations import name_variation
from lessons_lib.grading.lesson_11.drive import ALWAYS, block_cases, step_cases
from lessons_lib.grading.lesson_11.mistakes import (
    BLOCK_AXES,
    CALLS,
    KNOWN_ONE,
    KNOWN_TEXT,
    RARE_BLOCKS,
    SEVERAL_AXES,
    WRONG_KEPT,
    Pair,
    cached,
    greedy,
    most_probable,
    over_blocks,
    several,
)

Inputs = dict[str, np.ndarray]
STEP = 1e-6  # of the difference quotients


def step_runs(inputs: Inputs, cases: Cases) -> str | None:
    case, every = cases["one"], int(inputs["past"]) + 1
    due = inputs["query"][:, :, :1].shape
    if case.error is not None:
        return _wrong_mask(case.error, 1, every) or case.error
    if case["output"].shape == (*due[:2], every, due[3]):
        return (
            f"For one new token behind {every - 1} the output has {every} rows; one is due, that of the new token: the "
            "query is the new one, and the mask has a row for it alone, (T, n + T)."
        )
    if case["output"].shape != due:
        named = name_mistake(case["output"], KNOWN_ONE, *_so_far(inputs, every))
        return named or f"For one new token the output has the shape {case['output'].shape}; {due} is due."
    return None


def _wrong_mask(error: str, new: int, n: int) -> str | None:
    """Whether it fails for a mask that has not a row for each new token and a column for each of all."""
    given = re.search(r"mask of shape \((\d+), (\d+)\) does not broadcast", error)
    sides = tuple(map(int, given.groups())) if given else None
    if sides is None and (met := sizes(error)) and set(met) == {new, n} and new > 1:
        sides = (new, new)
    if sides is None or sides == (new, n):
        return None
    return (
        f"A mask has a row for each new token and a column for each of all: {(new, n)} here, (T, n + T), and not "
        f"{sides}. ({error})"
    )


def step_one(inputs: Inputs, cases: Cases) -> str | None:
    start, end = step_cases(inputs)["one"]
    return _output(inputs, cases["one"], start, end) or _kept(inputs, cases["one"], start, end)


def step_several(inputs: Inputs, cases: Cases) -> str | None:
    for name in ("prompt", "several"):
        start, end = step_cases(inputs)[name]
        case = cases[name]
        if case.error is not None:
            if hint := _wrong_mask(case.error, end - start, end):
                return hint
            what = "Without a past (None)" if name == "prompt" else "With several new tokens"
            return f"{what} it fails: {case.error}"
        if hint := _output(inputs, case, start, end) or _kept(inputs, case, start, end):
            return hint
    return None


def step_properties(inputs: Inputs, cases: Cases) -> str | None:
    past = int(inputs["past"])
    for name in ("one", "several"):
        for kept, tensor in (("past_keys", "key"), ("past_values", "value")):
            if not np.array_equal(cases[name][kept], inputs[tensor][:, :, :past]):
                return "Your function writes into the past that it was given; another beam may still go on from there."
    if hint := other_dtype(cases["one"], ("output", "keys", "values"), np.float32):
        return hint
    right = attention(*(inputs[name] for name in ("query", "key", "value")), np.tri(inputs["query"].shape[2]) > 0)[0]
    chain = cases["chain"]
    if chain.error is not None:
        return f"Each step alone is right, but token by token it fails: {chain.error}"
    if not close(chain["output"], right):
        return f"Each step alone is right, but token by token {difference('output', chain['output'], right)}."
    return _step_gradients(inputs, cases["gradient"])


def _step_gradients(inputs: Inputs, case: Case) -> str | None:
    """Difference quotients along one random direction for each of the new query, key and value."""
    if case.error is not None:
        return f"No gradient flows, so nothing could be trained: {case.error}"
    start, end = step_cases(inputs)["several"]
    draw = np.random.default_rng(0)

    def weighted(moved: dict[str, np.ndarray]) -> float:
        q, k, v = (moved[name] for name in ("query", "key", "value"))
        made = {"output": cached(q, k, v, end - start), "keys": k, "values": v}
        return sum(float((made[name] * inputs[f"of_{name}"]).sum()) for name in made)

    tensors = {name: inputs[name].astype(np.float64) for name in ("query", "key", "value")}
    for name, tensor in tensors.items():
        towards = np.zeros_like(tensor)
        towards[:, :, start:] = draw.normal(size=tensor[:, :, start:].shape)
        ahead, back = (weighted(tensors | {name: tensor + sign * STEP * towards}) for sign in (1, -1))
        if not close(np.array((case[name] * towards[:, :, start:]).sum()), np.array((ahead - back) / (2 * STEP)), 1e-3):
            return f"The gradient of the new {name} is wrong, though the result is right (is a part of it detached?)."
    return None


def _so_far(inputs: Inputs, end: int) -> list[np.ndarray]:
    return [inputs[name][:, :, :end] for name in ("query", "key", "value")]


def _output(inputs: Inputs, case: Case, start: int, end: int) -> str | None:
    output, new = case["output"], end - start
    right = cached(*_so_far(inputs, end), new)
    if output.shape != right.shape:
        return f"For {new} new tokens the output has the shape {output.shape}; {right.shape} is due."
    if close(output, right):
        return None
    if not np.isfinite(output).all():
        return (
            "The output holds NaN or infinite numbers, as where a query may attend to nothing: is the mask "
            "inverted? True "
            "means may attend."
        )
    tensors = _so_far(inputs, end)
    if new == 1:
        named = name_mistake(output, KNOWN_ONE, *tensors)
    else:
        named = name_variation(output, several, SEVERAL_AXES, *tensors, new)
    where = "one new token" if new == 1 else f"{new} new tokens behind {start or 'none'}"
    return named or f"The output for {where} is wrong: {difference('output', output, right)}."


def _kept(inputs: Inputs, case: Case, start: int, end: int) -> str | None:
    for name, tensor in (("keys", "key"), ("values", "value")):
        kept, right = case[name], inputs[tensor][:, :, :end]
        if close(kept, right):
            continue
        other = inputs["value" if tensor == "key" else "key"][:, :, :end]
        if close(kept, other):
            return "The output is right, but keys and values are returned in each other's place."
        past, new = right[:, :, :start], right[:, :, start:]
        if (named := name_mistake(kept, WRONG_KEPT, past, new)) is not None:
            return f"The output is right, but for the next step: {named.format(name)}"
        if kept.shape == right.shape:
            return f"The output is right, but what is kept is not: {difference(name, kept, right)}."
        return f"The output is right, but the {name} have the shape {kept.shape}; {right.shape} is due."
    return None


def text_runs(inputs: Inputs, cases: Cases) -> str | None:
    if cases["text"].error is not None and cases["row"].error is None:
        return f"Right for one text, but of several each has a row and its own next token. ({cases['text'].error})"
    tokens, prompt, written = cases["text"]["tokens"], inputs["prompt"], int(inputs["n_tokens"])
    rows, length = prompt.shape
    if tokens.shape == (rows, written) and np.array_equal(tokens[:, :length], prompt) and _counts_prompt(cases):
        return f"n_tokens counts the prompt too: {written - length} tokens are written where {written} are due."
    if tokens.shape == (rows, written) and not np.array_equal(tokens[:, :length], prompt):
        return f"Only the {written} written tokens are returned; give the prompt in front of them, (B, P + n)."
    if tokens.shape == (rows, length + written + 1):
        return f"{written + 1} tokens are written where {written} are due."
    if tokens.shape == (rows, length + written - 1):
        return f"{written - 1} tokens are written where {written} are due: the last one is not appended."
    if tokens.shape == (rows, length + 1) and written > 2:
        return "One written token is returned: put each new one behind all that was written, not behind the prompt."
    if tokens.ndim == 2 and len(tokens) == rows and length < tokens.shape[1] < length + written - 1:
        return "The text stops before n_tokens are written: no token ends it here, whatever its id."
    if tokens.shape != (rows, length + written):
        due = (rows, length + written)
        return f"The tokens have the shape {tokens.shape}; {due} is due, the prompt and what is written."
    if tokens.dtype != np.int64:
        return f"The tokens are {tokens.dtype}; they must be ids, int64, as the prompt is."
    if not len(cases["text"]["calls"]):
        return "`step` is never called, so nothing is predicted."
    return None


def _counts_prompt(cases: Cases) -> bool:
    """Whether the call for one token writes none, as where n_tokens counts the prompt: else the text stopped early."""
    one = cases["one"]
    return one.error is not None or one["tokens"].shape[1] <= cases["text"]["prompt_after"].shape[1]


def text_values(inputs: Inputs, cases: Cases) -> str | None:
    tokens, right = cases["text"]["tokens"], greedy(inputs, most_probable)
    calls, length = [tuple(row) for row in cases["text"]["calls"].tolist()], inputs["prompt"].shape[1]
    for sentence, made in CALLS:
        if made(calls, length, int(inputs["n_tokens"])):
            return sentence
    if np.array_equal(tokens, right):
        return None
    if not np.array_equal(tokens[:, :length], inputs["prompt"]):
        return "What is returned does not begin with the prompt."
    if not np.array_equal(tokens, cases["again"].arrays.get("tokens")):
        return "The same call writes other tokens each time: draw nothing, take the most probable (argmax)."
    for sentence, version in KNOWN_TEXT:
        if np.array_equal(tokens, version(inputs)):
            return sentence
    if 1 < calls[0][0] < length and len(calls) <= int(inputs["n_tokens"]) + 1:
        return f"Of the prompt's {length} tokens the first step reads {calls[0][0]}; all of them go through it at once."
    for number, (read, start, past) in enumerate(calls, 1):
        if start != past:
            return (
                f"In step {number}, start is {start} and the past holds {past} tokens: start is the place of the first "
                f"token that the step reads ({read} here), as many as lie before it."
            )
    place, row = np.argwhere((tokens != right).T)[0].tolist()  # the first step that goes wrong
    return (
        f"Written token {place - length + 1} of row {row} is {tokens[row, place]} and should be {right[row, place]}, "
        "whose logit is the largest of logits[:, -1] there."
    )


def text_properties(inputs: Inputs, cases: Cases) -> str | None:
    length, written = inputs["prompt"].shape[1], int(inputs["n_tokens"])
    calls = cases["text"]["calls"]
    read, due = int(calls[:, 0].sum()), length + written - 1
    if (calls[1:, 2] == 0).all() and len(calls) > 1:
        return (
            f"The text is right, but nothing is kept: {read} places went through the decoder where {due} are due. "
            "It reads the whole beginning again for each token."
        )
    if calls[0, 0] < length and len(calls) <= written + 1:
        return (
            f"The text is right, but the first step reads {calls[0, 0]} of the prompt's {length} tokens; the "
            f"whole prompt "
            "goes through it at once."
        )
    if len(calls) > written + 1:
        return (
            f"The text is right, but the prompt goes in token by token: {len(calls)} steps where {written} are due. "
            "The first step can read all of it at once."
        )
    if read == due + 1 and calls[-1, 1] == due:
        return "The text is right, but its last token goes through `step` too, and nobody asks what follows it."
    if read > due:
        return f"The text is right, but {read} places went through the decoder where {due} are due."
    one = cases["one"]
    if one.error is not None:
        return f"For one token to write it fails: {one.error}"
    right = greedy(inputs | {"n_tokens": np.array(1)}, most_probable)
    if not np.array_equal(one["tokens"], right):
        return "Right for many tokens to write, but not for one."
    for token in ALWAYS:
        case = cases[f"always_{token}"]
        if case.error is not None:
            return f"Where token {token} is always the most probable one it fails: {case.error}"
        if not np.array_equal(case["tokens"][:, length:], np.full((len(inputs["prompt"]), written), token)):
            return (
                f"Where token {token} is always the most probable one, it is not written {written} times: no "
                f"token ends "
                "the text here, and none is left out."
            )
    if changed_in_place(cases["text"], {"prompt": inputs["prompt"]}):
        return "Your function changes the caller's prompt: make a new tensor with torch.cat."
    return differs(cases["nothing"], {"tokens": inputs["prompt"]}, "Asked for no token, it must return the prompt")


def blocks_run(inputs: Inputs, cases: Cases) -> str | None:
    error = cases["plain"].error
    if error is not None and sizes(error) is not None:
        return (
            "The largest score and the sum of weights are one number for each query, (H, T, 1): over dim=-1, the keys, "
            f"with keepdim=True. ({error})"
        )
    output = cases["plain"]["output"]
    due = (*inputs["query"].shape[:2], inputs["value"].shape[-1])
    return None if output.shape == due else f"The output has the shape {output.shape}; {due} is due."


def blocks_values(inputs: Inputs, cases: Cases) -> str | None:
    output, right = cases["plain"]["output"], attention(inputs["query"], inputs["key"], inputs["value"])[0]
    if close(output, right):
        return None
    if not np.isfinite(output).all():
        return (
            "The output holds NaN or infinite numbers: is the factor upside down (the largest so far comes first in "
            "exp(m − m')), or does a maximum or a sum start at the wrong number?"
        )
    came, kept = _blocks(inputs)
    given = inputs["query"], came, kept
    named = name_mistake(output, RARE_BLOCKS, *given) or name_variation(output, over_blocks, BLOCK_AXES, *given)
    if named is not None:
        return named
    whole = cases["whole"]
    alone = whole.error is None and close(whole["output"], right)
    where = "Right for one block that holds all" if alone else "Wrong for one block that holds all already"
    look = "what a block does to the sums before it" if alone else "the scores and weights of a block, or the end"
    return f"{where}: look at {look}. The values differ: {difference('output', output, right)}."


def blocks_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments = block_cases(inputs)
    sentences = {
        "whole": "Right for several blocks, but not for one that holds all keys",
        "large": "Right for small scores, but large ones overflow: subtract the largest score so far before exp",
        "low": "Right for scores around 0, but not for scores that are all far below it: let the largest start at −∞",
        "rows": "Right where all rows have scores of one size, but not where one lies far below the others: each row "
        "has its own largest score (over dim=-1)",
        "falling": "Right, but not where an early block has by far the largest scores: the largest so far never falls",
        "wide": "Right, but not where the scores of one block lie far apart: take the largest of them away (amax), "
        "not the least, nor the mean",
    }
    for name, sentence in sentences.items():
        case = cases[name]
        if case.error is not None:
            return f"{sentence}. ({case.error})"
        right = attention(*(arguments[name][x] for x in ("query", "key", "value")))[0]
        if not close(case["output"], right, 1e-3):
            return f"{sentence}."
    if changed_in_place(cases["plain"], {"query": inputs["query"]}):
        return "Your function changes the caller's query: write `query = query / …`, not `query /= …`."
    return None


def _blocks(inputs: Inputs) -> tuple[list[Pair], list[Pair]]:
    """The blocks as they came, and what is left of them for who looks at them when all have come."""
    sizes = inputs["sizes"].tolist()
    ends = np.cumsum(sizes)
    came = [
        tuple(inputs[x][:, end - size : end] for x in ("key", "value")) for size, end in zip(sizes, ends, strict=True)
    ]
    memory = [np.zeros_like(inputs[x][:, : max(sizes)]) for x in ("key", "value")]
    for pair, size in zip(came, sizes, strict=True):
        for whole, part in zip(memory, pair, strict=True):
            whole[:, :size] = part
    return came, [(memory[0][:, :size], memory[1][:, :size]) for size in sizes]


STEPS = {
    "q1": (
        Step("runs, and the shape is right", 0, step_runs),
        Step("one token behind a past: what it takes home, and what is kept", 2, step_one),
        Step("a whole prompt, and several tokens behind a past", 1, step_several),
        Step("token by token over a whole text, with gradients, and the past stays as it was", 1, step_properties),
    ),
    "q2": (
        Step("runs, and writes as many tokens as asked", 0, text_runs),
        Step("the text is right", 1, text_values),
        Step("no place is read twice, and it holds for one token and for none", 2, text_properties),
    ),
    "q3": (
        Step("runs, and the shape is right", 0, blocks_run),
        Step("the values are right", 2, blocks_values),
        Step("it holds for one block, and for scores that are large or far below 0", 1, blocks_properties),
    ),
}
