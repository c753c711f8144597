"""Lesson 2: what the learner's projections, attention and lookup matrices must give, step by step."""

import numpy as np

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
from lessons_lib.grading.judge.reference import attention, attention_gradients, dot_products, softmax
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.lesson_02.drive import PROJECTIONS, RETURNS, attend_cases, project_cases, square_side, weighing
from lessons_lib.grading.lesson_02.drive import weights_of as drawn_weights
from lessons_lib.grading.lesson_02.mistakes import (
    KNOWN_OUTPUTS,
    KNOWN_PROJECTIONS,
    KNOWN_WEIGHTS,
    WRONG_SOURCES,
    WRONG_SQUARES,
    linear,
    projections,
    weights_of,
)

Inputs = dict[str, np.ndarray]


# ---- q1 ----


def project_runs(inputs: Inputs, cases: Cases) -> str | None:
    plain = cases["plain"]
    if plain.error is not None:
        if "stack expects each tensor to be equal size" in plain.error:
            return f"Query, key and value differ in width and fit in no stack: return three tensors. ({plain.error})"
        return _wrong_square(inputs, cases) or plain.error
    right = [array.shape for array in _projected(inputs, "plain")]
    given = [plain[name].shape for name in PROJECTIONS]
    if given == right:
        return None
    if sorted(given) == sorted(right):
        return f"The shapes are {given}, and {right} are due: return query, key, value in this order."
    if hint := _wrong_square(inputs, cases):
        return hint
    name, shape, due = next(row for row in zip(PROJECTIONS, given, right, strict=True) if row[1] != row[2])
    for other, made in zip(PROJECTIONS, _projected(inputs, "plain"), strict=True):
        if close(plain[name], made):
            return f"`{name}` is made by the layer `{other}`; it has a layer of its own."
    if close(plain[name], project_cases(inputs)["plain"]["x"]):
        return f"`{name}` is x itself: send it through the layer `{name}`."
    return f"`{name}` has the shape {shape}; {due} is due, a row for each word of x."


def project_values(inputs: Inputs, cases: Cases) -> str | None:
    right = dict(zip(PROJECTIONS, _projected(inputs, "plain"), strict=True))
    plain = cases["plain"]
    if close(plain["query"], right["key"]) and close(plain["key"], right["query"]):
        return "Queries and keys have changed places: return query, key, value, each from the layer of its name."
    for name in PROJECTIONS:
        if not close(plain[name], right[name]):
            state, x = drawn_weights(inputs), project_cases(inputs)["plain"]["x"]
            if mistake := name_mistake(plain[name], KNOWN_PROJECTIONS, x, state, name):
                return f"`{name}` {mistake}."
            hint = random_or_rounded(plain, cases["again"], name, right[name])
            hint = hint or changed_in_place(plain, {"x": x})
            return hint or f"`{name}` is not what its layer gives: {difference(name, plain[name], right[name])}."
    return None


def project_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments = project_cases(inputs)

    def wrong(case: str, sentence: str) -> str | None:
        return differs(cases[case], dict(zip(PROJECTIONS, _projected(inputs, case), strict=True)), sentence)

    return (
        changed_in_place(cases["plain"], arguments["plain"])
        or wrong("batch", "Right for x (T, d_model), but not for (B, T, d_model)")
        or wrong("heads", "Right for x (T, d_model), but not with two axes in front")
        or other_dtype(cases["plain"], PROJECTIONS, np.float32)
        or wrong("double", "Right in float32, but not for a layer in float64")
        or other_dtype(cases["double"], PROJECTIONS, np.float64)
        or _cut_off(inputs, cases)
    )


def _cut_off(inputs: Inputs, cases: Cases) -> str | None:
    """Whether something could be learned by x, and by the weights and the bias of each layer."""
    x, state = project_cases(inputs)["plain"]["x"], drawn_weights(inputs)
    for name, made in zip(PROJECTIONS, _projected(inputs, "plain"), strict=True):
        case, cotangent = cases[f"{name}_gradient"], weighing(name, made.shape)
        if case.error is not None:
            return f"`{name}` is right, but nothing could be learned: {case.error}"
        right = {"x": cotangent @ state[f"{name}.weight"], "weight": cotangent.T @ x, "bias": cotangent.sum(axis=0)}
        for leaf, due in right.items():
            if not close(case[leaf], due, 1e-3):
                of = "x" if leaf == "x" else f"the {leaf} of its layer"
                return f"`{name}` is right, but the gradient of {of} is not: is it detached, or taken from `.data`?"
    return None


def _projected(inputs: Inputs, case: str) -> tuple[np.ndarray, ...]:
    x = project_cases(inputs)[case]["x"]
    return projections(x, x, drawn_weights(inputs, square_side(inputs) if case == "square" else None))


def _wrong_square(inputs: Inputs, cases: Cases) -> str | None:
    """The mistake of a projection that only runs where all sizes are equal, if it is one that has a name."""
    square = cases["square"]
    if square.error is not None:
        return None
    x, state = project_cases(inputs)["square"]["x"], drawn_weights(inputs, square_side(inputs))
    for name in PROJECTIONS:
        if mistake := name_mistake(square[name], WRONG_SQUARES, x, state, name):
            return f"`{name}` {mistake}."
    return None


# ---- q2 ----


def attend_runs(inputs: Inputs, cases: Cases) -> str | None:
    plain = cases["plain"]
    if plain.error is not None:
        return _wrong_self(inputs, cases, "square") or plain.error
    output, weights = (plain[name].shape for name in RETURNS)
    right = [array.shape for array in _attended(inputs, "plain").values()]
    if [weights, output] == right:
        return "Output and weights have changed places: return output, weights."
    if [output, weights] != right:
        due = f"output {right[0]} and weights {right[1]} are due, (T, d_value) and (T, T)"
        hint = _wrong_self(inputs, cases, "square")
        return hint or f"Without a source, output has the shape {output} and weights {weights}; {due}."
    return None


def self_values(inputs: Inputs, cases: Cases) -> str | None:
    right = _attended(inputs, "plain")
    hint = differs(cases["plain"], right, "Without a source")
    if hint is None:
        return None
    for name in RETURNS:
        if not close(cases["plain"][name], right[name]) and (
            odd := random_or_rounded(cases["plain"], cases["again"], name, right[name])
        ):
            return odd
    weights, plain = cases["plain"]["weights"], attend_cases(inputs)["plain"]
    beside = None if close(weights, right["weights"]) else odd_rows(weights)
    beside = beside or changed_in_place(cases["plain"], plain)
    return _wrong_self(inputs, cases, "plain") or beside or hint


def cross_values(inputs: Inputs, cases: Cases) -> str | None:
    cross, right = cases["cross"], _attended(inputs, "cross")
    x, source = _sides(inputs, "cross")
    state = drawn_weights(inputs)
    if cross.error is not None:
        return _wrong_equal(inputs, cases) or f"With a source of another length than x: {cross.error}"
    if close(cross["weights"], weights_of(x, x, state)):
        asked = dict(zip(PROJECTIONS, projections(x, source, state), strict=True))
        if differs(cases["project"], asked, "") is None:
            return "project makes use of the source, but forward never hands it on: self.project(x, source)."
    if hint := name_mistake(cross["weights"], WRONG_SOURCES, x, source, state):
        return hint
    if cross["weights"].shape != right["weights"].shape:
        given, due = cross["weights"].shape, right["weights"].shape
        return f"With a source the weights have the shape {given}; {due} is due, (T, S): x asks, the source is asked."
    return differs(cross, right, "With a source") and (
        _wrong_equal(inputs, cases) or differs(cross, right, "With a source")
    )


def attend_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments = attend_cases(inputs)

    def wrong(case: str, sentence: str, tolerance: float = 1e-4) -> str | None:
        return differs(cases[case], _attended(inputs, case), sentence, tolerance)

    return (
        changed_in_place(cases["cross"], arguments["cross"])
        or differs(cases["after"], _attended(inputs, "plain"), KEPT)
        or wrong("equal", "Right for a source of another length than x, but not for one of the same length")
        or wrong("zeros", "A source of nothing but zeros is a source too; ask `source is None`")
        or wrong("batch", "Right for (T, d_model), but not for a batch; count axes from the end, -1 and -2")
        or wrong("heads", "Right for (T, d_model), but not with two axes in front; count axes from the end")
        or wrong("large", "Right for small scores, but not for large ones", 0.01)
        or other_dtype(cases["plain"], RETURNS, np.float32)
        or wrong("double", "Right in float32, but not for a layer and words in float64")
        or other_dtype(cases["double"], RETURNS, np.float64)
        or wrong_gradients(cases["plain_gradient"], _gradients(inputs, "plain"))
        or wrong_gradients(cases["cross_gradient"], _gradients(inputs, "cross"))
        or differs(
            cases["device"], _attended(inputs, "cross"), "Right on the CPU, but not on this machine's accelerator"
        )
    )


def _sides(inputs: Inputs, case: str) -> tuple[np.ndarray, np.ndarray]:
    arguments = attend_cases(inputs)[case]
    return arguments["x"], arguments.get("source", arguments["x"])


def _attended(inputs: Inputs, case: str) -> Inputs:
    state = drawn_weights(inputs, square_side(inputs) if case == "square" else None)
    return dict(zip(RETURNS, attention(*projections(*_sides(inputs, case), state)), strict=True))


def _gradients(inputs: Inputs, case: str) -> Inputs:
    """Of sum(output · cotangent) by x, and by the source if there is one."""
    state = drawn_weights(inputs)
    made = attention_gradients(inputs["cotangent"], *projections(*_sides(inputs, case), state))
    by_query, by_key, by_value = (made[name] @ state[f"{name}.weight"] for name in PROJECTIONS)
    if case == "plain":
        return {"x": by_query + by_key + by_value}
    return {"x": by_query, "source": by_key + by_value}


def _wrong_self(inputs: Inputs, cases: Cases, case: str) -> str | None:
    """The mistake of attention within one sentence, if it is one that has a name."""
    if cases[case].error is not None:
        return None
    state = drawn_weights(inputs, square_side(inputs) if case == "square" else None)
    x, (d_head, d_model) = _sides(inputs, case)[0], state["query.weight"].shape
    weights, output = cases[case]["weights"], cases[case]["output"]
    if not close(weights, weights_of(x, x, state)):
        return name_mistake(weights, KNOWN_WEIGHTS, x, x, state, (d_model, d_head, len(state["value.bias"])))
    if close(output, _attended(inputs, case)["output"]):
        return None
    return name_mistake(output, KNOWN_OUTPUTS[1:], weights, x, x, state)


def _wrong_equal(inputs: Inputs, cases: Cases) -> str | None:
    """The mistake of attention between two sentences that shows where both are equally long."""
    if cases["equal"].error is not None:
        return None
    x, source = _sides(inputs, "equal")
    state, weights, output = drawn_weights(inputs), cases["equal"]["weights"], cases["equal"]["output"]
    if close(weights, weights_of(x, x, state)) and close(output, weights @ linear(source, state, "value"), 1e-3):
        return "The keys come from x, though the values come from the source: what is handed over must be found first."
    if hint := name_mistake(weights, WRONG_SOURCES, x, source, state):
        return hint
    if not close(weights, weights_of(x, source, state)) or close(output, _attended(inputs, "equal")["output"]):
        return None
    return name_mistake(output, KNOWN_OUTPUTS, weights, x, source, state)


# ---- q3 ----


def lookup_runs(inputs: Inputs, cases: Cases) -> str | None:
    for finds, case in _lists(inputs, cases):
        w_query, w_key, n = case["w_query"], case["w_key"], len(finds)
        if cases["changed"][case.name]:
            return "Your function changes the caller's list: work on a copy, list(finds)."
        if w_query.ndim != 2 or w_query.shape != w_key.shape or len(w_query) != n:
            return f"For {n} words, w_query {w_query.shape} and w_key {w_key.shape} must both be ({n}, d_head)."
        if w_query.dtype != w_key.dtype or w_query.dtype.kind != "f":
            return f"The matrices are {w_query.dtype} and {w_key.dtype}; both are due in one float, or no product is."
        if not (np.isfinite(w_query).all() and np.isfinite(w_key).all()):
            return "The matrices must hold finite numbers; large ones do, infinite ones give NaN."
    return None


def lookup_places(inputs: Inputs, cases: Cases) -> str | None:
    for finds, case in _lists(inputs, cases):
        w_query, w_key = case["w_query"], case["w_key"]
        weights, exchanged = _weights(w_query, w_key), _weights(w_key, w_query)
        words, found = np.arange(len(finds)), weights.argmax(axis=-1)
        if (found == finds).all():
            continue
        if close(weights, np.full_like(weights, 1 / len(finds))):
            return "Every word gives all words the same weight: the rows of the two matrices must tell words apart."
        if np.array_equal(w_query, w_key):
            return "w_query and w_key are equal, so every score holds both ways; a query must differ from its key."
        if (exchanged.argmax(axis=-1) == finds).all():
            return (
                "Word finds[i] finds word i, the other way round. The two matrices have changed places, or rows and "
                "columns of w_query have: its row i is what word i looks for, row finds[i] of w_key."
            )
        if (found == words).all():
            return "Every word finds itself: row i of w_query must be the key of word finds[i], not of word i."
        before, behind = np.array(finds) - 1, (np.array(finds) + 1) % len(finds)
        if (found == np.maximum(before, 0)).all() or (found == before % len(finds)).all():
            return "Every word finds the one before the right one: words are counted from 0, as in Python."
        if (found == behind).all():
            return "Every word finds the one behind the right one: words are counted from 0, as in Python."
        if len(finds) > 2 and np.ptp(steps := (found - words) % len(finds)) == 0:
            return f"Word i finds word i + {steps[0]}, in a circle, whatever `finds` says."
        if close(w_query / np.linalg.norm(w_query), w_key / np.linalg.norm(w_key)):
            return "w_query is w_key times a number, so every score holds both ways; a query must differ from its key."
        if (_weights(-w_query, w_key).argmax(axis=-1) == finds).all():
            return "The sign is turned: each word gives the word that it should find the lowest score of all."
        word = int((found != finds).argmax())
        if not w_query[word].any():
            return (
                f"Of the {len(finds)} rows of w_query, row {word} is all zeros, so word {word} looks for nothing: each "
                "row must be filled before the function returns."
            )
        if w_query.shape[1] == 1:
            return (
                f"With d_head = 1 a score is a product of two numbers, so of {len(finds)} words one at an end wins; "
                "give each word a direction of its own."
            )
        return f"Of {len(finds)} words, word {word} finds word {found[word]}; it must find word {finds[word]}."
    return None


def lookup_strength(inputs: Inputs, cases: Cases) -> str | None:
    for finds, case in _lists(inputs, cases):
        weights = _weights(case["w_query"], case["w_key"])
        least = weights[np.arange(len(finds)), finds].min()
        if least < 0.99:
            return (
                f"The right words, but too faint: of {len(finds)} words one gives the right one only {least:.2f} of "
                f"its weight; make the scores larger (they are divided by √{case['w_query'].shape[-1]})."
            )
    return None


def _weights(w_query: np.ndarray, w_key: np.ndarray) -> np.ndarray:
    return softmax(dot_products(w_query, w_key) / np.sqrt(w_query.shape[-1]))


def _lists(inputs: Inputs, cases: Cases) -> list[tuple[np.ndarray, Case]]:
    return [(finds, cases[name]) for name, finds in inputs.items()]


STEPS = {
    "q1": (
        Step("runs, and the shapes are right", 0, project_runs),
        Step("each projection is that of its layer", 2, project_values),
        Step("it holds for batches and other dtypes, and can be learned", 1, project_properties),
    ),
    "q2": (
        Step("runs, and the shapes are right", 0, attend_runs),
        Step("x looks at itself without a source", 1, self_values),
        Step("x looks at the source when there is one", 2, cross_values),
        Step("it holds for batches, large scores, other dtypes and gradients", 1, attend_properties),
    ),
    "q3": (
        Step("runs, and the shapes are right", 0, lookup_runs),
        Step("every word finds the word that it should", 2, lookup_places),
        Step("with at least 0.99 of its weight", 1, lookup_strength),
    ),
}
