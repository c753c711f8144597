"""Lesson 1: what the learner's attention and their previous-word head must give, step by step."""

import numpy as np

from lessons_lib.grading.judge.compare import close, difference, name_mistake
from lessons_lib.grading.judge.properties import (
    changed_in_place,
    differs,
    odd_rows,
    other_dtype,
    random_or_rounded,
    wrong_gradients,
)
from lessons_lib.grading.judge.reference import attention, attention_gradients, dot_products, softmax
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.lesson_01.drive import RETURNS, masked_cases, plain_cases
from lessons_lib.grading.lesson_01.mistakes import (
    KNOWN_MASKS,
    KNOWN_WEIGHTS,
    RARE_PRODUCTS,
    WRONG_OUTPUTS,
    WRONG_PRODUCTS,
)

Inputs = dict[str, np.ndarray]
NOT_APART = (
    "Its query points where that key points, but another key reaches further that way: give the keys different "
    "directions and one length, as the rows of torch.eye(length) have."
)


def plain_runs(inputs: Inputs, cases: Cases) -> str | None:
    plain = cases["plain"]
    if plain.error is not None:
        return _wrong_product(inputs, cases) or _only_with_a_batch(cases) or plain.error
    return _shapes(inputs, cases)


def plain_values(inputs: Inputs, cases: Cases) -> str | None:
    query, key, value = plain_cases(inputs)["plain"].values()
    right_output, right_weights = attention(query, key, value)
    output, weights = cases["plain"]["output"], cases["plain"]["weights"]
    for name, right in (("weights", right_weights), ("output", right_output)):
        if close(cases["plain"][name], right):
            continue
        if hint := random_or_rounded(cases["plain"], cases["again"], name, right):
            return hint
    if not close(weights, right_weights):
        sizes = (query.shape[-1], len(query), len(key), value.shape[-1])
        hint = name_mistake(weights, KNOWN_WEIGHTS, dot_products(query, key), *sizes)
        hint = hint or name_mistake(weights, RARE_PRODUCTS, query, key, value)
        hint = hint or changed_in_place(cases["plain"], plain_cases(inputs)["plain"]) or odd_rows(weights)
        hint = hint or f"The weights differ: {difference('weights', weights, right_weights)}."
        beside = "The output is right, but not the weights returned beside it. "
        return beside + hint if close(output, right_output) else hint
    if not close(output, right_output):
        gap = difference("output", output, right_output)
        hint = name_mistake(output, WRONG_OUTPUTS, weights, query, key, value)
        return hint or f"The weights are right, but the output is not weights @ value: {gap}."
    return None


def plain_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments = plain_cases(inputs)
    gradients = attention_gradients(inputs["cotangent"], **arguments["plain"])
    return (
        changed_in_place(cases["plain"], arguments["plain"])
        or _with_a_batch(cases["batch"], arguments["batch"], "(B, T, d_head)")
        or _with_a_batch(cases["heads"], arguments["heads"], "(B, H, T, d_head)")
        or _differs(cases["shuffled"], arguments["shuffled"], "The same words in another order get another answer")
        or _large_scores(cases["large"], arguments["large"])
        or other_dtype(cases["plain"], RETURNS, np.float32)
        or _differs(cases["double"], arguments["double"], "Right in float32, but not in float64")
        or other_dtype(cases["double"], RETURNS, np.float64)
        or wrong_gradients(cases["gradient"], gradients)
        or _differs(cases["device"], arguments["plain"], "Right on the CPU, but not on this machine's accelerator")
    )


def masked_runs(inputs: Inputs, cases: Cases) -> str | None:
    plain, masked = cases["plain"], cases["masked"]
    if plain.error is None:
        if _differs(plain, plain_cases(inputs)["plain"], "") is not None:
            return 'Without a mask the numbers are wrong already: first get check("q1") right.'
        if masked.error is None and masked["weights"].shape != plain["weights"].shape:
            return f"With a mask the weights have the shape {masked['weights'].shape}, not {plain['weights'].shape}."
    if plain.error or masked.error is None:
        return plain.error
    return f"Without a mask it runs, with one it does not: {masked.error}{_turned(masked.error)}"


def masked_values(inputs: Inputs, cases: Cases) -> str | None:
    arguments = masked_cases(inputs)["masked"]
    mask, weights = arguments["mask"], cases["masked"]["weights"]
    forbidden = weights[~mask].max()
    if close(weights, attention(**arguments)[1]) and not forbidden:
        return _differs(cases["masked"], arguments, "The weights are right, but not the output")
    if hint := random_or_rounded(cases["masked"], cases["again"], "weights", attention(**arguments)[1]):
        return hint
    scores = dot_products(arguments["query"], arguments["key"]) / np.sqrt(arguments["key"].shape[-1])
    if hint := name_mistake(weights, KNOWN_MASKS, scores, mask):
        output = cases["masked"]["output"]
        if close(output, attention(**arguments)[0]):
            return f"The output is right, but not the weights returned beside it. {hint}"
        apart = output.shape[:1] == weights.shape[:1] and not close(output, weights @ arguments["value"], 1e-3)
        return f"The output is not made of the weights that are returned. Of those: {hint}" if apart else hint
    if forbidden > 0:
        query, key = np.argwhere((weights == forbidden) & ~mask)[0]
        return f"Key {key} is forbidden to query {query}, but gets the weight {forbidden:.2g}: its score needs −∞."
    hint, sums = odd_rows(weights), weights.sum(axis=-1, keepdims=True)
    if hint and sums.all() and close(weights / sums, attention(**arguments)[1], 1e-3):
        return f"{hint} The rest went to forbidden keys, and was taken away after the softmax; their scores need −∞."
    return hint or _differs(cases["masked"], arguments, "Forbidden keys get nothing, but")


def empty_row(inputs: Inputs, cases: Cases) -> str | None:
    arguments, case = masked_cases(inputs)["empty"], cases["empty"]
    output, weights = case["output"], case["weights"]
    if np.isnan(weights[0]).any():
        return "A query with no allowed key gets NaN (a softmax over nothing but −∞, or 0 / 0); give it zeros."
    if close(weights[0], np.full_like(weights[0], 1 / len(weights[0]))):
        return "A query with no allowed key gets the same weight for every key; give it zeros."
    if not close(weights[0], np.zeros_like(weights[0])):
        return f"A query with no allowed key gets weights that are not zero ({weights[0].max():.2g}); give it zeros."
    if not close(output[0], np.zeros_like(output[0])):
        return "A query with no allowed key has zero weights, but not a zero output; make it of those weights."
    return _differs(case, arguments, "Right for the query with no allowed key, but the others change")


def masked_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments = masked_cases(inputs)
    gradients = attention_gradients(inputs["cotangent"], **arguments["empty"])
    half = cases["half"]
    if half.error and "overflow" in half.error:
        return f"In float16 the number for −∞ is too large; take torch.finfo(scores.dtype).min. ({half.error})"
    return (
        changed_in_place(cases["masked"], arguments["masked"])
        or _differs(cases["padding"], arguments["padding"], "A mask (B, 1, 1, S) for scores (B, H, T, S) goes wrong")
        or _differs(half, arguments["half"], "Right in float32, but not in float16", tolerance=0.02)
        or _empty_row_gradients(cases["gradient"], gradients)
    )


def head_runs(inputs: Inputs, cases: Cases) -> str | None:
    for length, case in _lengths(inputs, cases):
        query, key = case["query"], case["key"]
        if query.ndim != 2 or query.shape != key.shape or len(query) != length:
            return f"For length {length}, query {query.shape} and key {key.shape} must both be ({length}, d_head)."
        if query.dtype != key.dtype or query.dtype.kind != "f":
            return f"query is {query.dtype} and key {key.dtype}; both are due in one float type."
        if not (np.isfinite(query).all() and np.isfinite(key).all()):
            return "Queries and keys must be finite numbers; large ones do, infinite ones give NaN."
    return None


def head_places(inputs: Inputs, cases: Cases) -> str | None:
    for length, case in _lengths(inputs, cases):
        weights, exchanged = _head_weights(case["query"], case["key"]), _head_weights(case["key"], case["query"])
        words, looks = np.arange(length), weights.argmax(axis=-1)
        before = np.maximum(words - 1, 0)
        if (looks == before).all():
            continue
        if close(weights, np.full_like(weights, 1 / length)):
            return "Every word looks at all words alike: queries and keys must tell the positions apart."
        if (exchanged.argmax(axis=-1) == before).all() and (exchanged[words, before] > 1.01 / length).all():
            return "Query and key are exchanged, so words look ahead: the query says what a word looks for."
        if (looks == words).all():
            return "Every word looks at itself: move the queries or the keys by one position."
        if (looks == np.maximum(words - 2, 0)).all():
            return "Every word looks two places back; move the queries or the keys by one position only."
        if (weights.argmin(axis=-1) == before).all():
            return "The word before gets the least weight of all, where it should get the most: is a sign wrong?"
        if (looks[1:-1] == words[2:]).all() and looks[0] in (0, 1):
            return "Every word looks at the next one: the rows are moved the wrong way."
        if (looks[1:] == before[1:]).all():
            return f"The first word has none before it and must look at itself, but it looks at word {looks[0]}."
        word = int((looks != before).argmax())
        if case["query"].shape[1] == 1:
            return (
                f"With d_head = 1 a score is a product of two numbers, so of {length} words one at an end wins; give "
                "each position a direction of its own."
            )
        if not case["key"][before[word]].any():
            return (
                f"Of {length} keys, that of word {before[word]} is all zeros, so no query can find it: each position "
                f"needs a direction of its own, and d_head is {case['query'].shape[1]}."
            )
        hint = f"Of {length} words, word {word} looks at word {looks[word]}; it must look at word {before[word]}."
        return f"{hint} {NOT_APART}" if _seeks(case, word, before[word]) else hint
    return None


def _seeks(case: Case, word: int, other: int) -> bool:
    """Whether the query of a word points where the key of another one points, and yet a third key wins."""
    query, key = case["query"][word].astype(np.float64), case["key"][other].astype(np.float64)
    return close(query @ key, np.linalg.norm(query) * np.linalg.norm(key)) and bool(query.any())


def head_strength(inputs: Inputs, cases: Cases) -> str | None:
    for length, case in _lengths(inputs, cases):
        d_head = case["query"].shape[-1]
        weights = _head_weights(case["query"], case["key"])
        due = weights[np.arange(length), np.maximum(np.arange(length) - 1, 0)]
        least = due.min()
        if due[0] < 0.99 <= due[1:].min():
            return (
                "The first word has none before it, so it must give 0.99 of its weight to itself; of "
                f"{length} words it gives itself {due[0]:.2f}: its query must look for its own key."
            )
        if least < 0.6 and (word := _shares(10 * case["query"], case["key"])) is not None:
            return (
                f"Word {word} gives as much weight to another word as to the right one; larger scores change nothing."
            )
        if least < 0.99:
            return (
                f"The right word, but too faint: with {length} words it gets only {least:.2f} of the weight; "
                f"make the scores larger (they are divided by √{d_head})."
            )
    return None


def _turned(error: str) -> str:
    """What an error of a call with a mask may mean, to be put behind it."""
    lies = "; a mask has a row for each query and a column for each key, as the scores have (is it transposed?)"
    return lies if "size of tensor" in error else ""


def _shares(query: np.ndarray, key: np.ndarray) -> int | None:
    """A word that gives as much weight to another as to the word before it, however large the scores are."""
    weights = np.sort(_head_weights(query, key), axis=-1)
    tied = np.flatnonzero((weights[:, -1] < 0.9) & (weights[:, -1] - weights[:, -2] < 1e-3))
    return int(tied[0]) if len(tied) else None


def _head_weights(query: np.ndarray, key: np.ndarray) -> np.ndarray:
    return softmax(dot_products(query, key) / np.sqrt(query.shape[-1]))


def _lengths(inputs: Inputs, cases: Cases) -> list[tuple[int, Case]]:
    return [(length, cases[f"length_{length}"]) for length in inputs["lengths"].tolist()]


def _wrong_product(inputs: Inputs, cases: Cases) -> str | None:
    """The mistake that only runs where all sizes are equal, if it is one that has a name."""
    square = cases["square"]
    if square.error is not None:
        return None
    query, key, value = plain_cases(inputs)["square"].values()
    hint = name_mistake(square["weights"], WRONG_PRODUCTS, query, key, value)
    return hint or name_mistake(square["output"], WRONG_OUTPUTS, square["weights"], query, key, value)


def _only_with_a_batch(cases: Cases) -> str | None:
    if cases["batch"].error is None:
        return (
            "It needs a batch: it runs for (B, T, d_head), but not for (T, d_head); count axes from the end, -1 and -2."
        )
    if cases["heads"].error is None:
        return "It needs a batch and heads: it runs for (B, H, T, d_head), but not for (T, d_head); count from the end."
    return None


def _shapes(inputs: Inputs, cases: Cases) -> str | None:
    right = [array.shape for array in attention(**plain_cases(inputs)["plain"])]
    output, weights = (cases["plain"][name].shape for name in ("output", "weights"))
    if [output, weights] == right:
        return None
    if [weights, output] == right:
        return "The two results are exchanged: return output, weights."
    if hint := _wrong_product(inputs, cases):
        return hint
    name, given, due = ("output", output, right[0]) if output != right[0] else ("weights", weights, right[1])
    letters = "(T, d_value)" if name == "output" else "(T, S)"
    return f"`{name}` has the shape {given}; {due} is due, which is {letters}."


def _differs(case: Case, arguments: Inputs, sentence: str, tolerance: float = 1e-4) -> str | None:
    right = dict(zip(RETURNS, attention(**arguments), strict=True))
    return differs(case, right, sentence, tolerance)


def _with_a_batch(case: Case, arguments: Inputs, letters: str) -> str | None:
    scores = dot_products(arguments["query"], arguments["key"]) / np.sqrt(arguments["key"].shape[-1])
    for axis in range(scores.ndim - 1):
        if case.error is None and close(case["weights"], softmax(scores, axis)):
            return (
                f"Right for (T, d_head), but for {letters} the softmax runs over axis {axis}, and not over the keys: "
                "write dim=-1 (a softmax without dim chooses an axis by itself)."
            )
    return _differs(
        case, arguments, f"Right for (T, d_head), but not for {letters}; count axes from the end, -1 and -2"
    )


def _large_scores(case: Case, arguments: Inputs) -> str | None:
    if case.error is None and not np.isfinite(case["weights"]).all():
        return (
            "Large scores give NaN: exp is infinite, or 0 in a whole row; use torch.softmax, or subtract each "
            "row's own "
            "maximum first."
        )
    return _differs(case, arguments, "Right for small scores, but not for scores of several hundred", tolerance=0.01)


def _empty_row_gradients(case: Case, right: Inputs) -> str | None:
    if case.error is None and not all(np.isfinite(case[name]).all() for name in right):
        return (
            "Right forwards, but the gradient is NaN: a softmax over nothing but −∞ spoils it, even overwritten; "
            "fill the scores with torch.finfo(scores.dtype).min, and zero the weights after."
        )
    return wrong_gradients(case, right)


STEPS = {
    "q1": (
        Step("runs, and the shapes are right", 0, plain_runs),
        Step("the values are right", 2, plain_values),
        Step("it holds for batches, large scores, other dtypes and gradients", 1, plain_properties),
    ),
    "q2": (
        Step("runs with a mask", 0, masked_runs),
        Step("forbidden keys get no weight", 2, masked_values),
        Step("a query with no allowed key gets zeros", 1, empty_row),
        Step("it holds for padding masks, float16 and gradients", 1, masked_properties),
    ),
    "q3": (
        Step("runs, and the shapes are right", 0, head_runs),
        Step("every word looks at the word before it", 2, head_places),
        Step("with at least 0.99 of its weight", 1, head_strength),
    ),
}
