"""Lesson 4: what the learner's sinusoidal table, rotation and relative bias must give, step by step."""

import numpy as np

from lessons_lib.grading.judge.compare import close, difference, name_mistake
from lessons_lib.grading.judge.properties import changed_in_place, differs, other_dtype, wrong_gradients
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.judge.variations import name_variation
from lessons_lib.grading.lesson_04.drive import bias_cases, rotation_cases, table_cases
from lessons_lib.grading.lesson_04.mistakes import (
    BIAS_AXES,
    RARE_ROTATIONS,
    ROTATION_AXES,
    TABLE_AXES,
    chosen_bias,
    chosen_rotation,
    chosen_table,
)
from lessons_lib.grading.lesson_04.reference import (
    distances,
    relative_bias,
    relative_gradient,
    rotary,
    rotary_gradient,
    sinusoidal,
)

Inputs = dict[str, np.ndarray]
SIXTEEN_BITS = 0.03  # what rounding the numbers may cost in bfloat16, and rounded angles exceed


def table_runs(inputs: Inputs, cases: Cases) -> str | None:
    length, width = table_cases(inputs)["plain"].values()
    plain = cases["plain"]
    if plain.error is not None:
        square = cases["square"]
        if square.error is None:
            return f"It only runs where max_length equals d_model; which axis is which? ({plain.error})"
        return plain.error
    shape = plain["table"].shape
    if shape == (width, length):
        return f"The table is lying on its side: {shape}; a row for each position is due, (max_length, d_model)."
    if shape == (length, width // 2):
        return f"The table has {width // 2} columns, one a pair; d_model = {width} are due: a sine and a cosine a pair."
    if shape != (length, width):
        return f"`table` has the shape {shape}; (max_length, d_model) = ({length}, {width}) is due."
    return None


def table_values(inputs: Inputs, cases: Cases) -> str | None:
    sizes = table_cases(inputs)["plain"].values()
    table, right = cases["plain"]["table"], sinusoidal(*sizes)
    if close(table, right):
        return None
    if table.dtype == np.float16 or table.dtype.kind != "f":
        return f"The table is {table.dtype}; embeddings are float32, so give the table as float32."
    length = len(table)
    if close(table, chosen_table(*sizes, factor=1 / length), 1e-3):
        return "The positions are divided by max_length; they are 0, 1, 2 …, however long the table is."
    # Three rows tell the mistakes apart; further down, angles that grew too large are noise in float32.
    hint = name_variation(table[:3], chosen_table, TABLE_AXES, 3, table.shape[1])
    return hint or f"The numbers differ: {difference('table', table, right)}."


def table_properties(inputs: Inputs, cases: Cases) -> str | None:
    calls = table_cases(inputs)
    sentences = {
        "narrow": "Right, but not for d_model = 2",
        "single": "Right, but not for a single position",
        "square": "Right, but not where max_length equals d_model",
        "long": "Right for short tables, but not for 1000 positions",
    }
    for name, sentence in sentences.items():
        right, tolerance = sinusoidal(*calls[name].values()), 1e-3 if name == "long" else 1e-4
        if name == "long" and cases[name].error is None and cases[name]["table"].shape == right.shape:
            sentence += " (are the speeds rounded?)"
        if hint := differs(cases[name], {"table": right}, sentence, tolerance):
            return hint
    if (dtype := cases["plain"]["table"].dtype) != np.float32:
        return f"The table is {dtype}; embeddings are float32, so give the table as float32."
    return None


def rotation_runs(inputs: Inputs, cases: Cases) -> str | None:
    heads, plain = rotation_cases(inputs)["plain"]["heads"], cases["plain"]
    if plain.error is not None:
        if cases["heads"].error is None:
            return "It runs for (B, H, T, d_head), but not for (T, d_head); count axes from the end, -1 and -2."
        if "size of tensor" in plain.error:
            return (
                f"{plain.error}; here are {len(heads)} positions and {heads.shape[1] // 2} pairs: the positions are "
                "counted along the second axis from the end, heads.shape[-2]"
            )
        return plain.error
    if plain["rotated"].shape != heads.shape:
        return f"`rotated` has the shape {plain['rotated'].shape}; a rotation keeps the shape, {heads.shape}."
    return None


def rotation_values(inputs: Inputs, cases: Cases) -> str | None:
    heads = rotation_cases(inputs)["plain"]["heads"].astype(np.float64)
    rotated, right = cases["plain"]["rotated"], rotary(heads)
    if close(rotated, right):
        return None
    hint = _named_rotation(inputs, cases)
    if hint := hint or changed_in_place(cases["plain"], rotation_cases(inputs)["plain"]):
        return hint
    lengths = np.linalg.norm(rotated.astype(np.float64), axis=-1)
    if not close(lengths, np.linalg.norm(heads, axis=-1)):
        return (
            "This is no rotation: it changes the length of a vector "
            f"({np.linalg.norm(heads[-1]):.3g} became {lengths[-1]:.3g})."
        )
    for other in range(2, 2 * len(heads)):
        if close(rotated, rotary(heads, other)):
            return f"The first row is turned as at position {other}; positions count from 0, where nothing turns."
    gap = difference("rotated", rotated, right)
    half = right.shape[1] // 2
    wrong = [i for i in range(half) if not close(rotated[:, i::half], right[:, i::half])]
    if len(wrong) < half:
        return f"Only some pairs are wrong, such as the dimensions {wrong[0]} and {wrong[0] + half}: {gap}."
    return f"The lengths are kept, but the numbers differ: {gap}."


def rotation_start(inputs: Inputs, cases: Cases) -> str | None:
    calls = rotation_cases(inputs)
    heads, start = calls["later"].values()
    later = cases["later"]
    wrong = later.error is None and not close(later["rotated"], rotary(heads, start))
    if hint := wrong and _named_rotation(inputs, cases):
        return hint
    for other in range(3 * start):
        if other != start and later.error is None and close(later["rotated"], rotary(heads, other)):
            return f"With start={start} the first row stands at position {other}; it stands at start."
    return differs(later, {"rotated": rotary(heads, start)}, "Right from position 0 on, but not from `start` on") or (
        differs(cases["step"], {"rotated": rotary(**calls["step"])}, "Right for many rows, but not for a single one")
    )


def rotation_properties(inputs: Inputs, cases: Cases) -> str | None:
    calls = rotation_cases(inputs)
    gradient = {"heads": rotary_gradient(inputs["cotangent"], calls["later"]["start"])}
    return (
        changed_in_place(cases["plain"], calls["plain"])
        or _wrong_axis(cases["heads"], calls["heads"]["heads"])
        or differs(
            cases["heads"],
            {"rotated": rotary(**calls["heads"])},
            "Right for (T, d_head), but not for (B, H, T, d_head)",
        )
        or other_dtype(cases["plain"], ("rotated",), np.float32)
        or differs(
            cases["double"], {"rotated": rotary(**calls["double"])}, "Right in float32, but the call in float64 fails"
        )
        or other_dtype(cases["double"], ("rotated",), np.float64)
        # Not every way to turn runs in 16 bits; what runs gives float16 back, and is right far from position 0.
        or (None if cases["float16"].error else other_dtype(cases["float16"], ("rotated",), np.float16))
        or coarse_angles(inputs, cases)
        or _gradients("Queries and keys learn through the rotation.", cases["gradient"], gradient)
    )


def coarse_angles(inputs: Inputs, cases: Cases) -> str | None:
    heads, start = rotation_cases(inputs)["float16"].values()
    for dtype in ("float16", "bfloat16"):
        sentence = (
            f"Right in float32, but not in {dtype} at position {start}, a number that it hardly holds: make positions, "
            "speeds and angles in float32, and only the result in the dtype of heads"
        )
        if cases[dtype].error is None and (
            hint := differs(cases[dtype], {"rotated": rotary(heads, start)}, sentence, SIXTEEN_BITS)
        ):
            return hint
    return None


def _moved(inputs: Inputs, bias: np.ndarray) -> bool:
    """Whether each distance of the short sentence has the number of a column further on."""
    table, length = bias_cases(inputs)["short"].values()
    columns = np.arange(length) - np.arange(length)[:, None] + table.shape[1] // 2
    further = range(1, table.shape[1] - int(columns.max()))
    return any(close(bias, table[:, columns + steps]) for steps in further)


def bias_runs(inputs: Inputs, cases: Cases) -> str | None:
    table, length = bias_cases(inputs)["plain"].values()
    plain = cases["plain"]
    if plain.error is not None:
        if "out of bounds" in plain.error or "out of range" in plain.error:
            if f"with size {len(table)}" in plain.error:
                return f"Rows of the table are looked up, and they are the heads; write table[:, …]. ({plain.error})"
            if cases["short"].error is None:
                if _moved(inputs, cases["short"]["bias"]):
                    return (
                        f"max_distance is too large: of {table.shape[1]} columns one is for the distance 0 and half of "
                        f"the others for each side, (table.shape[1] - 1) // 2. ({plain.error})"
                    )
                return (
                    "A long sentence asks for a distance that the table lacks: clip distances first, at both ends. "
                    f"({plain.error})"
                )
            return f"A column beyond the table is asked for; the columns are 0 to 2·max_distance. ({plain.error})"
        return plain.error
    shape, due = plain["bias"].shape, (len(table), length, length)
    if shape == (length, length, len(table)):
        return f"The heads are the last axis of {shape}; scores are (H, T, S), so they must be the first."
    if shape != due:
        return f"`bias` has the shape {shape}; {due} is due: (H, queries, keys)."
    return None


def bias_values(inputs: Inputs, cases: Cases) -> str | None:
    table, length = bias_cases(inputs)["plain"].values()
    bias, right = cases["plain"]["bias"], relative_bias(table, length)
    if close(bias, right):
        return None
    later, start = cases["later"], bias_cases(inputs)["later"]["start"]
    if later.error is None and later["bias"].shape == (len(table), start + length, length) != right.shape:
        return "The biases have a row for each key; a row for each query is due, (H, queries, keys)."
    hint = _other_reach(bias, table, length) or name_variation(bias, chosen_bias, BIAS_AXES, table, length)
    return hint or _odd_bias(bias, right, table, length)


def bias_properties(inputs: Inputs, cases: Cases) -> str | None:
    calls = bias_cases(inputs)
    table, length, start = calls["later"].values()
    later, step = cases["later"], cases["step"]
    gradient = {"table": relative_gradient(inputs["cotangent"], table, length, start)}
    if later.error is None and later["bias"].shape == (len(table), length, length):
        return (
            "With `start` the keys before it are missing: queries stand at start …, keys at 0 …, up to the last query."
        )
    if later.error is None and later["bias"].shape == (len(table), start + length, start + length):
        return "With `start` there are too many queries: `length` of them, the first at position start."
    first = relative_bias(table, start + length)
    if later.error is None and close(later["bias"], first[:, :length]):
        return (
            "With `start` the distances are still those of queries at 0, 1 …: add start to the positions of the "
            "queries, and not to those of the keys."
        )
    return (
        changed_in_place(cases["plain"], {"table": table})
        or differs(
            later, {"bias": relative_bias(table, length, start)}, "Right from position 0 on, but not with `start`"
        )
        or differs(step, {"bias": relative_bias(**calls["step"])}, "Right for many queries, but not for a single one")
        or differs(
            cases["short"], {"bias": relative_bias(**calls["short"])}, "Right for long, but not for short sentences"
        )
        or other_dtype(cases["plain"], ("bias",), np.float32)
        or other_dtype(cases["double"], ("bias",), np.float64)
        or _gradients("The table must learn.", cases["gradient"], gradient)
    )


def _gradients(why: str, case: Case, right: Inputs) -> str | None:
    hint = wrong_gradients(case, right)
    return hint and f"{why} {hint}"


def _named_rotation(inputs: Inputs, cases: Cases) -> str | None:
    """The mistake that gives what came from position 0 on and from `start` on, or else the first of them alone."""
    later = rotation_cases(inputs)["later"]
    heads, start = later["heads"].astype(np.float64), later["start"]
    given = [cases[name]["rotated"] for name in ("plain", "later") if cases[name].error is None]

    def both(**choices) -> np.ndarray:
        return np.concatenate([chosen_rotation(heads, at, **choices) for at in (0, start)[: len(given)]])

    if len(given) == 2 and given[1].shape == given[0].shape:
        hint = name_variation(np.concatenate(given), both, ROTATION_AXES)
    else:
        hint = None
    hint = hint or name_mistake(given[0], RARE_ROTATIONS, heads, 0)
    return hint or name_variation(given[0], chosen_rotation, ROTATION_AXES, heads, 0)


def _wrong_axis(case: Case, heads: np.ndarray) -> str | None:
    if case.error is None and close(case["rotated"], rotary(heads.swapaxes(1, 2)).swapaxes(1, 2)):
        return (
            "With heads, the positions run along the axis of the heads; the positions are the second axis from the end."
        )
    return None


def _other_reach(bias: np.ndarray, table: np.ndarray, length: int) -> str | None:
    """Whether the table is read with another max_distance; one that is one too small has a sentence of its own."""
    middle = table.shape[1] // 2
    for other in range(middle - 1):
        if close(bias, table[:, distances(length).clip(-other, other) + other]):
            return (
                f"The table is read as if max_distance were {other}; with {table.shape[1]} columns it is {middle}: "
                "(table.shape[1] - 1) // 2."
            )
    return None


def _odd_bias(bias: np.ndarray, right: np.ndarray, table: np.ndarray, length: int) -> str:
    for distance in range(1 - length, length):
        diagonals = np.array([np.diagonal(head, distance) for head in bias])
        if not close(diagonals, np.repeat(diagonals[:, :1], diagonals.shape[1], axis=1)):
            return f"Two pairs at the same distance, {distance}, get different numbers; only key − query may matter."
    wrong = [
        int(d) for d in np.unique(distances(length)) if not close(np.diagonal(bias[0], d), np.diagonal(right[0], d))
    ]
    middle = table.shape[1] // 2
    if wrong:
        numbers, row = np.diagonal(bias, wrong[0], 1, 2)[:, :1], int(np.clip(wrong[0], -middle, middle)) + middle
        for column in range(table.shape[1]):
            if close(numbers, table[:, column : column + 1].astype(np.float64)):
                return f"The distance {wrong[0]} gets column {column} of the table; its column is {row}."
        return f"The number for the distance {wrong[0]} is wrong: {difference('bias', bias, right)}."
    return f"Right for the first head only: {difference('bias', bias, right)}."


STEPS = {
    "q1": (
        Step("runs, and the shape is right", 0, table_runs),
        Step("the values are right", 2, table_values),
        Step("it holds for other sizes, in float32", 1, table_properties),
    ),
    "q2": (
        Step("runs, and the shape is right", 0, rotation_runs),
        Step("pairs turn by the right angles", 2, rotation_values),
        Step("the first position may be any", 1, rotation_start),
        Step("it holds for heads, other dtypes and gradients", 1, rotation_properties),
    ),
    "q3": (
        Step("runs, and the shape is right", 0, bias_runs),
        Step("each distance gets its number", 2, bias_values),
        Step("it holds with a start, for short sentences and for gradients", 1, bias_properties),
    ),
}
