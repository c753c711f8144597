"""Lesson 8: what the learner's masks and their loss of the next token must give, step by step."""

from collections.abc import Callable
from functools import partial

import numpy as np

from lessons_lib.grading.judge.compare import close, name_mistake, related
from lessons_lib.grading.judge.properties import changed_in_place, other_dtype
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.lesson_08.drive import loss_cases, padding_cases
from lessons_lib.grading.lesson_08.mistakes import (
    KNOWN_INPUTS,
    KNOWN_LOSSES,
    WRONG_CAUSAL,
    WRONG_PADDING,
    WRONG_TARGETS,
    mean,
    moved,
    surprise,
)

Inputs = dict[str, np.ndarray]
HEADS, QUERIES = 5, 6  # of the attention that a mask must fit; no other size is equal to them
ADDED = (
    "The mask is made of 0 and −∞, to be added to scores; a mask of yes and no is due, which any attention can read."
)


def causal_runs(inputs: Inputs, cases: Cases) -> str | None:
    length = int(inputs["lengths"][0])
    mask = cases[f"length_{length}"]["mask"]
    if mask.shape[-2:] == (length + 1, length + 1):
        return f"For {length} positions the mask is {mask.shape[-2]} × {mask.shape[-1]}: one row and column too many."
    if mask.shape[-2:] == (length,) or mask.ndim < 2:
        return f"The mask has the shape {mask.shape}; each of the {length} queries needs a row: ({length}, {length})."
    if mask.shape[-2:] != (length, length) or mask.ndim > 4 or set(mask.shape[:-2]) - {1}:
        return f"The mask has the shape {mask.shape}; ({length}, {length}) is due, a row a query and a column a key."
    return None


def causal_values(inputs: Inputs, cases: Cases) -> str | None:
    length = int(inputs["lengths"][0])
    return _wrong_causal(cases[f"length_{length}"]["mask"], length)


def causal_properties(inputs: Inputs, cases: Cases) -> str | None:
    length = int(inputs["lengths"][0])
    mask = cases[f"length_{length}"]["mask"]
    if mask.dtype != np.bool_:
        return f"The mask is right, but of numbers ({mask.dtype}); `~mask` and masked_fill need True and False."
    for other in inputs["lengths"][1:].tolist():
        case = cases[f"length_{other}"]
        if case.error is not None:
            return f"Right for {length} positions, but for {other}: {case.error}"
        if case["mask"].shape[-2:] != (other, other):
            return f"Right for {length} positions, but for {other} the mask has the shape {case['mask'].shape}."
        if not _is(case["mask"], np.tri(other)):
            return f"Right for {length} positions, but not for {other}: is a size written into the code?"
    return None


def _wrong_causal(mask: np.ndarray, length: int) -> str | None:
    if _is(mask, np.tri(length)):
        return None
    numbers = mask.astype(np.float64)
    if np.isinf(numbers).any() or numbers.min() < -1e4:
        return ADDED
    hint = name_mistake(numbers.reshape(length, length), WRONG_CAUSAL, length)
    if hint is None:
        row, column = np.argwhere(numbers.reshape(length, length) != np.tri(length))[0].tolist()
        due = "may" if column <= row else "may not"
        alone = related(numbers.reshape(length, length), np.tri(length), (row, column))
        where = f" It says so in other places, too: {alone}." if alone else ""
        hint = f"Position {row} {due} attend to position {column}, and your mask says otherwise.{where}"
    return hint


def padding_runs(inputs: Inputs, cases: Cases) -> str | None:
    mask = cases["right"]["mask"]
    n_rows, length = inputs["tokens"].shape
    shape = mask.shape
    if shape == (n_rows, 1, 1, length):
        return None
    if shape == (n_rows, length):
        return (
            f"The mask is (B, S), {shape}: against scores (B, H, T, S) its rows would be taken for queries; "
            "give it an axis of 1 for the heads and one for the queries."
        )
    if shape == (n_rows, 1, length):
        return (
            f"The mask is (B, 1, S), {shape}: against scores (B, H, T, S) its sentences would be taken for heads; "
            "one more axis of 1 is due."
        )
    if shape in {(n_rows, 1, length, 1), (n_rows, length, 1, 1)}:
        return f"The mask {shape} hides rows, which are queries; the padding must not be seen, so S is the last axis."
    if shape == (1, 1, n_rows, length) or shape == (1, n_rows, 1, length):
        return f"The sentences must stay the first axis: (B, 1, 1, S) is due, not {shape}."
    if shape == (n_rows, 1, length, length):
        tokens, pad_id = padding_cases(inputs)["right"].values()
        if np.array_equal(mask, (tokens != pad_id)[:, None, None] & np.tri(length, dtype=bool)):
            return (
                "A causal mask is in it: a padding mask hides the padding alone, and the caller joins the two with &."
            )
        return (
            f"The mask {shape} has a row for each of its own tokens; with 1 in the place of T it serves queries "
            "of another sentence too."
        )
    return f"The mask has the shape {shape}; (B, 1, 1, S) is due, which is {(n_rows, 1, 1, length)}."


def padding_values(inputs: Inputs, cases: Cases) -> str | None:
    arguments = padding_cases(inputs)["right"]
    tokens, pad_id = arguments["tokens"], int(arguments["pad_id"])
    mask = cases["right"]["mask"]
    if _is(mask, tokens != pad_id):
        return None
    numbers = mask.astype(np.float64)[:, 0, 0]
    if np.isinf(numbers).any() or numbers.min() < -1e4:
        return f"{ADDED.removesuffix('.')}: True where a token is real."
    if close(numbers, np.where(tokens == pad_id, 0, tokens)):
        return "The mask holds the ids of the tokens; it must only say whether each of them is pad_id or not."
    one = padding_cases(inputs)["one"]["tokens"]
    if numbers.all() and cases["one"].error is None and _is(cases["one"]["mask"], one != pad_id):
        return f"Right for one sentence, but of several, each has a row. {_first_difference(numbers, tokens, pad_id)}"
    return name_mistake(numbers, WRONG_PADDING, tokens, pad_id) or _first_difference(numbers, tokens, pad_id)


def padding_properties(inputs: Inputs, cases: Cases) -> str | None:
    mask = cases["right"]["mask"]
    if mask.dtype != np.bool_:
        return f"The mask is right, but of numbers ({mask.dtype}); `&` with a causal mask needs True and False."
    sentences = {
        "left": "Right where the padding stands on the right, but not where it stands on the left",
        "full": "Right for padded sentences, but not where there is no padding",
        "one": "Right for a batch, but not for a single sentence",
        "word": "Right for long sentences, but not for those of one token",
        "device": "Right on the CPU, but not on this machine's accelerator",
    }
    cases_of = padding_cases(inputs) | {"device": padding_cases(inputs)["right"]}
    for name, sentence in sentences.items():
        tokens, case = cases_of[name]["tokens"], cases[name]
        if case.error is not None:
            return f"{sentence}: {case.error}"
        if case["mask"].shape != (due := (len(tokens), 1, 1, tokens.shape[1])):
            return f"{sentence}: the mask has the shape {case['mask'].shape}, and {due} is due (squeeze?)."
        if not _is(case["mask"], tokens != cases_of[name]["pad_id"]):
            return f"{sentence}: it must depend on each token alone."
    if not np.array_equal(cases["right"]["tokens_after"], inputs["tokens"]):
        return "Your function writes into the tokens that it was given: compare them, and leave them as they are."
    return None


def _first_difference(numbers: np.ndarray, tokens: np.ndarray, pad_id: int) -> str:
    row, column = np.argwhere(numbers != (tokens != pad_id))[0].tolist()
    kind = "is padding" if tokens[row, column] == pad_id else "is a real token"
    return f"Token {column} of sentence {row} has the id {tokens[row, column]} and {kind}; the mask says otherwise."


def loss_runs(inputs: Inputs, cases: Cases) -> str | None:
    case = cases["plain"]
    read, (rows, length) = case.arrays.get("read"), inputs["tokens"].shape
    if case.error is not None and read is not None and read.shape != (rows, length):
        named = name_mistake(read, KNOWN_INPUTS, inputs["tokens"], int(inputs["bos_id"]), int(inputs["pad_id"]))
        return f"{named or f'tgt_in has the shape {read.shape}; {(rows, length)} is due.'} ({case.error})"
    if case["loss"].size != 1 and 1 in (case["tgt_in"].size, case["tgt_out"].size):
        return "The three results are in another order: return tgt_in, tgt_out, loss."
    if case["loss"].size != 1:
        shape = case["loss"].shape
        of_places = shape in {inputs["tokens"].shape, (inputs["tokens"].size,)}
        return f"The loss has the shape {shape}: " + (
            "one number for each place; take their mean over the real tokens." if of_places else "one number is due."
        )
    if "read" not in case.arrays:
        return "`predict` was never called: the logits come from predict(tgt_in)."
    return None


def loss_targets(inputs: Inputs, cases: Cases) -> str | None:
    case = cases["plain"]
    tokens, bos_id, pad_id = inputs["tokens"], int(inputs["bos_id"]), int(inputs["pad_id"])
    tgt_in, tgt_out = case["tgt_in"], case["tgt_out"]
    right_in = moved(tokens, bos_id)
    if np.array_equal(tgt_in, tokens) and np.array_equal(tgt_out, right_in):
        return "tgt_in and tgt_out are exchanged: what is moved to the right is read, not said."
    if not np.array_equal(tgt_in, right_in):
        hint = name_mistake(tgt_in, KNOWN_INPUTS, tokens, bos_id, pad_id)
        first = int(tgt_in.flat[0])
        if hint is None and np.array_equal(tgt_in, moved(tokens, first)):
            return f"tgt_in begins with {first}, whatever bos_id says; {bos_id} is due here."
        return hint or f"tgt_in is not tokens moved by one place: {_first_row(tgt_in, right_in)}."
    if not np.array_equal(tgt_out, tokens):
        if np.array_equal(tgt_out, case["tokens_after"]):
            return "`tokens` itself is changed, and tgt_out with it: make tgt_in a new tensor (torch.cat, or a clone)."
        hint = name_mistake(tgt_out, WRONG_TARGETS, tokens, bos_id, pad_id)
        return hint or f"tgt_out must be tokens as they are: {_first_row(tgt_out, tokens)}."
    if not np.array_equal(case["read"], right_in):
        return "tgt_in and tgt_out are right, but `predict` was given something else than tgt_in."
    for name in ("tgt_in", "tgt_out"):
        if case[name].dtype != tokens.dtype:
            return f"{name} is {case[name].dtype}; token ids stay {tokens.dtype}."
    return None


def _first_row(given: np.ndarray, right: np.ndarray) -> str:
    """The first row that is wrong, with the one that is due."""
    if given.shape != right.shape:
        return f"it has the shape {given.shape}, and {right.shape} is due"
    row = int((given != right).any(axis=1).argmax())
    return f"its row {row} is {given[row].tolist()} and should be {right[row].tolist()}"


def loss_values(inputs: Inputs, cases: Cases) -> str | None:
    # Two losses: one number alone is now and then what another mistake gives, too.
    both = [loss_cases(inputs)[name] for name in ("plain", "other")]
    given = np.concatenate([cases[name]["loss"].reshape(1) for name in ("plain", "other")])
    right = np.concatenate([_loss(arguments) for arguments in both])
    if close(given, right):
        return None
    if close(given, right / np.log(2)):
        return "The loss is counted in bits; take the natural logarithm."
    hint = name_mistake(given, [(sentence, partial(_losses, version)) for sentence, version in KNOWN_LOSSES], both)
    if hint is not None:
        return hint
    hint = f"The loss is {given[0]:.4g}, and the mean over the real tokens is {right[0]:.4g}"
    if not close(given * right[0], given[0] * right):
        return f"{hint}."
    real = inputs["tokens"] != inputs["pad_id"]
    counts = f"{real.sum()} real tokens, {(~real).sum()} of padding, {len(real)} sentences"
    return f"{hint}: it is {given[0] / right[0]:.4g} times as large, and there are {counts}."


def loss_properties(inputs: Inputs, cases: Cases) -> str | None:
    sentences = {
        "full": "Right with padding, but not where there is none",
        "large": "Right for small logits, but not for logits of several hundred (use cross_entropy or log_softmax)",
    }
    for name, sentence in sentences.items():
        if hint := _differs(cases[name], loss_cases(inputs)[name], sentence):
            return hint
    gradient = cases["gradient"]
    if gradient.error is not None:
        return f"No gradient flows, so nothing could be trained: {gradient.error}"
    if not close(gradient["by_place"], _gradient(inputs)):
        return "The loss is right, but its gradient is not: is a part of it detached?"
    if hint := other_dtype(cases["plain"], ("loss",), np.float32):
        return hint
    return changed_in_place(cases["plain"], {"tokens": inputs["tokens"]}) or _differs(
        cases["device"], inputs, "Right on the CPU, but not on this machine's accelerator"
    )


def _differs(case: Case, arguments: Inputs, sentence: str) -> str | None:
    if case.error is not None:
        return f"{sentence}: {case.error}"
    loss, right = case["loss"].reshape(1), _loss(arguments)
    if not close(loss, right):
        return f"{sentence}: the loss is {loss.item():.4g} and should be {right.item():.4g}."
    return None


def _logits(inputs: Inputs) -> np.ndarray:
    tgt_in = moved(inputs["tokens"], int(inputs["bos_id"]))
    by_place = inputs["by_place"].astype(np.float64)[: tgt_in.shape[1]]
    return by_place + inputs["by_token"].astype(np.float64)[tgt_in]


def _loss(inputs: Inputs) -> np.ndarray:
    tokens = inputs["tokens"]
    return mean(surprise(_logits(inputs), tokens)[tokens != inputs["pad_id"]])


def _losses(version: Callable[..., np.ndarray], arguments: list[Inputs]) -> np.ndarray:
    """What a wrong version gives for each of the arguments."""
    made = []
    for one in arguments:
        tgt_in = moved(one["tokens"], int(one["bos_id"]))
        made.append(version(_logits(one), one["tokens"], tgt_in, int(one["pad_id"])))
    return np.concatenate(made)


def _gradient(inputs: Inputs) -> np.ndarray:
    """Of the loss by the table of places: (softmax − one-hot) / N, summed over the sentences."""
    tokens, logits = inputs["tokens"], _logits(inputs)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    pull = powers / powers.sum(axis=-1, keepdims=True) - np.eye(logits.shape[-1])[tokens]
    real = tokens != inputs["pad_id"]
    gradient = np.zeros_like(inputs["by_place"], dtype=np.float64)
    gradient[: tokens.shape[1]] = (pull * real[..., None]).sum(axis=0) / real.sum()
    return gradient


def _is(mask: np.ndarray, right: np.ndarray) -> bool:
    """Whether the mask, of yes and no or of 1 and 0, says what `right` says, whatever axes of 1 it has."""
    right = right.astype(np.float64)
    return mask.size == right.size and np.array_equal(mask.astype(np.float64).reshape(right.shape), right)


STEPS = {
    "q1": (
        Step("runs, and the shape is right", 0, causal_runs),
        Step("each position sees itself and the past", 2, causal_values),
        Step("it is made of True and False, for every length", 1, causal_properties),
    ),
    "q2": (
        Step("runs, and the shape is right", 1, padding_runs),
        Step("the padding is hidden, and nothing else", 1, padding_values),
        Step("it holds wherever the padding stands", 1, padding_properties),
    ),
    "q3": (
        Step("runs, and gives one loss", 0, loss_runs),
        Step("what is read is what was said one place before", 1, loss_targets),
        Step("the loss is the mean over the real tokens", 2, loss_values),
        Step("it holds for large logits and gradients", 1, loss_properties),
    ),
}
