"""Lesson 3: what the learner's heads and their module must give, step by step."""

import numpy as np

from lessons_lib.grading.drive.advice import sizes
from lessons_lib.grading.judge.compare import close, difference, name_mistake
from lessons_lib.grading.judge.properties import (
    KEPT,
    changed_in_place,
    differs,
    odd_rows,
    other_dtype,
    random_or_rounded,
    wrong_gradients,
)
from lessons_lib.grading.judge.reference import (
    attention,
    attention_gradients,
    dot_products,
    linear,
    merge_heads,
    multi_head_attention,
    softmax,
    split_heads,
)
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.lesson_03.drive import RETURNS, masked_cases, plain_cases, state
from lessons_lib.grading.lesson_03.mistakes import (
    KNOWN_MASKS,
    KNOWN_MERGES,
    KNOWN_OUTPUTS,
    KNOWN_SPLITS,
    WRONG_SIDES,
    WRONG_WEIGHTS,
)

Inputs = dict[str, np.ndarray]


# --- q1 --------------------------------------------------------------------------------------------------------------


def heads_run(inputs: Inputs, cases: Cases) -> str | None:
    x, heads = inputs["x"], inputs["heads"]
    batch, n_heads, words, d_head = heads.shape
    sizes = f"here B={batch}, H={n_heads}, T={words}, d_head={d_head}"
    for case, name, due in (("split", "heads", heads.shape), ("merge", "x", x.shape)):
        if cases[case].error is not None:
            return f"{case}_heads: {cases[case].error}"
        given = cases[case][name].shape
        if given != due:
            return _odd_shape(f"{case}_heads", given, due, heads.shape) or (
                f"{case}_heads gives the shape {given}; {due} is due ({sizes})."
            )
    return None


def heads_split(inputs: Inputs, cases: Cases) -> str | None:
    n_heads = inputs["heads"].shape[1]
    right, given = split_heads(inputs["x"], n_heads), cases["split"]["heads"]
    if not close(given, right):
        hint = name_mistake(given, KNOWN_SPLITS, inputs["x"], n_heads)
        hint = hint or random_or_rounded(cases["split"], cases["split"], "heads", right)
        hint = hint or _moved("heads", given, right, "x", inputs["x"])
        return hint or f"The heads are wrong: {difference('heads', given, right)}."
    return differs(cases["whole"], {"heads": split_heads(inputs["x"], 1)}, "Right, but not with one head")


def heads_merge(inputs: Inputs, cases: Cases) -> str | None:
    right, given = merge_heads(inputs["heads"]), cases["merge"]["x"]
    if not close(given, right):
        hint = name_mistake(given, KNOWN_MERGES, inputs["heads"])
        hint = hint or changed_in_place(cases["merge"], {"heads": inputs["heads"]})
        hint = hint or random_or_rounded(cases["merge"], cases["merge"], "x", right)
        hint = hint or _moved("x", given, right, "heads", inputs["heads"])
        return hint or f"What is merged is wrong: {difference('x', given, right)}."
    return differs(cases["both"], {"x": inputs["x"]}, "Merging what your split_heads made goes wrong")


def heads_properties(inputs: Inputs, cases: Cases) -> str | None:
    return (
        changed_in_place(cases["split"], {"x": inputs["x"]})
        or changed_in_place(cases["merge"], {"heads": inputs["heads"]})
        or other_dtype(cases["split"], ("heads",), np.float32)
        or other_dtype(cases["merge"], ("x",), np.float32)
        or wrong_gradients(cases["split_gradient"], {"x": merge_heads(inputs["heads"])})
        or wrong_gradients(cases["merge_gradient"], {"heads": split_heads(inputs["x"], inputs["heads"].shape[1])})
    )


# --- q2 --------------------------------------------------------------------------------------------------------------


def plain_runs(inputs: Inputs, cases: Cases) -> str | None:
    given, due = cases["self"]["output"].shape, inputs["query"].shape
    if given != due:
        return f"The output has the shape {given}; {due} is due, which is (B, T, d_model)."
    return None


def self_values(inputs: Inputs, cases: Cases) -> str | None:
    right, given = _right(inputs, **plain_cases(inputs)["self"])["output"], cases["self"]["output"]
    if close(given, right):
        return None
    if hint := random_or_rounded(cases["self"], cases["again"], "output", right):
        return hint
    hint = name_mistake(given, KNOWN_OUTPUTS, state(inputs), _n_heads(inputs), inputs["query"], inputs["query"])
    hint = hint or changed_in_place(cases["self"], plain_cases(inputs)["self"])
    return hint or f"The numbers are wrong: {difference('output', given, right)}."


def cross_values(inputs: Inputs, cases: Cases) -> str | None:
    arguments, level = plain_cases(inputs), cases["level"]
    hint = _differs(inputs, cases["cross"], arguments["cross"], "Right for self-attention, but not with a source")
    if hint and level.error is None:
        sides = arguments["level"].values()
        return name_mistake(level["output"], WRONG_SIDES, state(inputs), _n_heads(inputs), *sides) or hint
    return hint


def plain_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments = plain_cases(inputs)
    cross = arguments["cross"]
    return (
        changed_in_place(cases["cross"], cross)
        or _differs(inputs, cases["again"], arguments["self"], KEPT)
        or _differs(
            inputs, cases["short"], arguments["short"], "Right, but not for another batch and shorter sentences"
        )
        or _differs(
            inputs, cases["shuffled"], arguments["shuffled"], "The same source in another order gets another answer"
        )
        or other_dtype(cases["cross"], ("output",), np.float32)
        or _differs(inputs, cases["double"], cross, "Right in float32, but not in float64")
        or other_dtype(cases["double"], ("output",), np.float64)
        or wrong_gradients(cases["gradient"], _gradients(inputs, query=inputs["query"], source=inputs["source"]))
        or _differs(inputs, cases["device"], cross, "Right on the CPU, but not on this machine's accelerator")
    )


# --- q3 --------------------------------------------------------------------------------------------------------------


def masked_runs(inputs: Inputs, cases: Cases) -> str | None:
    plain = cases["output"]
    if plain.error is None and _differs(inputs, plain, plain_cases(inputs)["cross"], "") is not None:
        return 'Without a mask the output is wrong already: first get check("q2") right.'
    if plain.error or cases["cross"].error:
        return plain.error or cases["cross"].error
    error = cases["masked"].error
    if error and error.endswith("dimension 1") and set(sizes(error) or ()) == {_n_heads(inputs), len(inputs["mask"])}:
        return (
            "The rows of the mask (T, S) meet the axis of the heads: leave it as it is, without unsqueeze, and it fits "
            f"scores (B, H, T, S). ({error})"
        )
    if error and set(sizes(error) or ()) == set(inputs["mask"].shape):
        return f"With a mask (T, S) it fails: {error}; it has a row for each query, as scores have: is it transposed?"
    return error and f"With a mask (T, S) it fails: {error}"


def returned_weights(inputs: Inputs, cases: Cases) -> str | None:
    given, right = cases["cross"]["weights"], _right(inputs, **plain_cases(inputs)["cross"])["weights"]
    if close(given, right):
        return None
    if hint := name_mistake(given, WRONG_WEIGHTS, right):
        return hint
    if given.shape != right.shape:
        return f"The weights have the shape {given.shape}; {right.shape} is due, which is (B, H, T, S)."
    if close(softmax(given), right):
        return "The returned weights are the scores before the softmax; return what comes out of it."
    return f"The output is right, but not the weights beside it: {difference('weights', given, right)}."


def masked_values(inputs: Inputs, cases: Cases) -> str | None:
    arguments = masked_cases(inputs)
    case, mask = cases["masked"], inputs["mask"]
    right = _right(inputs, **arguments["masked"])["weights"]
    weights = case["weights"]
    if weights.shape == right.shape:
        hint = None
        if not close(weights, right):
            hint = name_mistake(weights, KNOWN_MASKS, _scores(inputs, inputs["source"]), mask)
        if hint:
            if _differs(inputs, cases["causal"], arguments["causal"], "", RETURNS) is None:
                return f"Right without a source, but not with one: {hint}"
            beside = _differs(inputs, case, arguments["masked"], "") is None
            return "The output is right, but not the weights returned beside it. " * beside + hint
        forbidden = weights[..., ~mask].max()
        if forbidden > 0:
            _, head, query, key = np.argwhere((weights == forbidden) & ~mask)[0]
            where = f"In head {head} key {key} is forbidden to query {query}"
            return f"{where}, but gets the weight {forbidden:.2g}: its score needs −∞."
        if hint := odd_rows(weights):
            sums = weights.sum(axis=-1, keepdims=True)
            faint = sums.all() and close(weights / sums, right, 1e-3)
            return f"{hint} Forbidden scores need −∞, in every head." if faint else hint
    if hint := _differs(inputs, case, arguments["masked"], "With a mask (T, S)", RETURNS):
        return hint
    hint = _differs(inputs, cases["causal"], arguments["causal"], "With a causal mask and no source", RETURNS)
    if hint and cases["causal"].error is None:
        weights, scores, causal = cases["causal"]["weights"], _scores(inputs, inputs["query"]), inputs["causal"]
        turned = "The mask is turned on its side: row t says what position t may see."
        wrong = [*KNOWN_MASKS, (turned, lambda s, m: softmax(np.where(m.T, s, -np.inf)))]
        if named := name_mistake(weights, wrong, scores, causal):
            return f"Without a source: {named}"
    return hint


def masked_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments = masked_cases(inputs)
    weights = cases["empty"]["weights"]
    if not np.isfinite(weights).all():
        return "A query with no allowed key gets NaN in every head; give it zeros."
    if close(weights[:, :, 0], np.full_like(weights[:, :, 0], 1 / weights.shape[-1])):
        return "A query with no allowed key gets the same weight for every key, in every head; give it zeros."
    if not cases["empty"]["output"][:, 0].any():
        return (
            "A query with no allowed key gets an output of nothing but zeros: each head gives it zeros, and those go "
            "through `output`, whose bias is left."
        )
    gradients = _gradients(inputs, **arguments["empty"])
    if cases["gradient"].error is None and not all(np.isfinite(cases["gradient"][name]).all() for name in gradients):
        return (
            "Right forwards, but the gradient of a query with no allowed key is NaN; fill its scores with "
            "torch.finfo(scores.dtype).min, and zero the weights after."
        )
    return (
        _differs(inputs, cases["padding"], arguments["padding"], "A padding mask (B, 1, 1, S) goes wrong", RETURNS)
        or _differs(inputs, cases["full"], arguments["full"], "A mask (B, H, T, S) goes wrong", RETURNS)
        or _differs(inputs, cases["after"], plain_cases(inputs)["cross"], KEPT, RETURNS)
        or _differs(inputs, cases["empty"], arguments["empty"], "With a query that has no allowed key", RETURNS)
        or changed_in_place(cases["masked"], arguments["masked"])
        or other_dtype(cases["masked"], ("output", "weights"), np.float32)
        or wrong_gradients(cases["gradient"], gradients)
    )


# --- what they share -------------------------------------------------------------------------------------------------


def _n_heads(inputs: Inputs) -> int:
    return int(inputs["n_heads"][0])


def _right(inputs: Inputs, query, source=None, mask=True) -> Inputs:
    """The output and the weights that are due."""
    both = multi_head_attention(state(inputs), _n_heads(inputs), query, source, mask)
    return dict(zip(RETURNS, both, strict=True))


def _scores(inputs: Inputs, source: np.ndarray) -> np.ndarray:
    """The scaled scores (B, H, T, S) of the queries with a source (B, S, D)."""
    p, h = state(inputs), _n_heads(inputs)
    query = split_heads(linear(p, "query", inputs["query"]), h)
    key = split_heads(linear(p, "key", source), h)
    return dot_products(query, key) / np.sqrt(query.shape[-1])


def _gradients(inputs: Inputs, query: np.ndarray, source: np.ndarray, mask: np.ndarray | bool = True) -> Inputs:
    """Of sum(output · cotangent) by both sequences and by every parameter, the chain rule by hand."""
    p, h = state(inputs), _n_heads(inputs)
    given = {"query": query, "key": source, "value": source}
    split = {name: split_heads(linear(p, name, x), h) for name, x in given.items()}
    cotangent = inputs["cotangent"].astype(np.float64)
    merged = merge_heads(attention(**split, mask=mask)[0])
    by_merged = split_heads(cotangent @ p["output.weight"], h)  # (B, H, T, d_head)
    by_split = {name: np.zeros_like(array) for name, array in split.items()}
    for place in np.ndindex(by_merged.shape[:2]):
        one = attention_gradients(by_merged[place], **{name: array[place] for name, array in split.items()}, mask=mask)
        for name, gradient in one.items():
            by_split[name][place] = gradient
    by_layer = {name: merge_heads(gradient) for name, gradient in by_split.items()} | {"output": cotangent}
    right = {
        "query": by_layer["query"] @ p["query.weight"],
        "source": by_layer["key"] @ p["key.weight"] + by_layer["value"] @ p["value.weight"],
    }
    for name, x in (given | {"output": merged}).items():
        right[f"{name}_weight"] = np.einsum("bto,bti->oi", by_layer[name], x)
        right[f"{name}_bias"] = by_layer[name].sum(axis=(0, 1))
    return right


def _differs(
    inputs: Inputs, case: Case, arguments: Inputs, sentence: str, names: tuple[str, ...] = ("output",)
) -> str | None:
    right = _right(inputs, **arguments)
    return differs(case, {name: right[name] for name in names}, sentence)


def _moved(name: str, given: np.ndarray, right: np.ndarray, source: str, numbers: np.ndarray) -> str | None:
    """Which number stands where another is due, if it is one of the source's."""
    place = tuple(int(i) for i in np.argwhere(given != right)[0])
    there, due = (np.argwhere(numbers == value) for value in (given[place], right[place]))
    if len(there) != 1 or len(due) != 1:
        return None
    return f"{name}{list(place)} holds {source}{there[0].tolist()}; {source}{due[0].tolist()} is due there."


def _odd_shape(function: str, given: tuple, due: tuple, heads: tuple) -> str | None:
    """The wrong shapes that have a name."""
    batch, n_heads, words, d_head = heads
    sentences = {
        (
            "split_heads",
            (batch, words, n_heads, d_head),
        ): "The heads stand behind the words, (B, T, H, d_head); exchange the two axes with transpose(1, 2).",
        ("split_heads", (batch, n_heads, d_head, words)): "The last two axes are exchanged: each word is a row, "
        "(B, H, T, d_head).",
        (
            "split_heads",
            (batch, d_head, words, n_heads),
        ): "n_heads and d_head are exchanged: there must be n_heads heads, each d_model / n_heads wide.",
        ("split_heads", (batch * n_heads, words, d_head)): "Batch and heads are one axis; keep them apart, "
        "(B, H, T, d_head).",
        (
            "merge_heads",
            (batch, words * n_heads * d_head),
        ): "The words of a sentence are joined, too: each keeps a row of "
        "its own, so only the last two axes of (B, T, H, d_head) become one, flatten(2).",
        ("merge_heads", (batch, n_heads * words, d_head)): "The heads are joined along the words; join them along the "
        "last axis, so that each word has the numbers of all heads.",
        ("merge_heads", (batch, words, d_head)): "The heads are averaged or added up; put them side by side, "
        "(B, T, d_model).",
        (
            "merge_heads",
            (batch, words, n_heads, d_head),
        ): "The heads stand beside each other, but are not joined: flatten the last two axes.",
    }
    return sentences.get((function, given)) if given != due else None


STEPS = {
    "q1": (
        Step("both run, and the shapes are right", 0, heads_run),
        Step("splitting gives each head its own numbers", 1, heads_split),
        Step("merging puts them back side by side", 1, heads_merge),
        Step("nothing is changed in place, and gradients flow", 1, heads_properties),
    ),
    "q2": (
        Step("runs, and the shape is right", 0, plain_runs),
        Step("self-attention is right", 2, self_values),
        Step("cross-attention is right", 1, cross_values),
        Step("it holds for other lengths, other dtypes and gradients", 1, plain_properties),
    ),
    "q3": (
        Step("runs with a mask", 0, masked_runs),
        Step("the weights of each head are returned", 1, returned_weights),
        Step("forbidden keys get no weight in any head", 1, masked_values),
        Step("it holds for padding, for a query without keys, and for gradients", 1, masked_properties),
    ),
}
