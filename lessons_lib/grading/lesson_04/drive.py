"""Lesson 4: how the learner's sinusoidal table, rotation and relative bias are called."""

import numpy as np

from lessons_lib.grading.drive.calls import gradient_case, run_case
from lessons_lib.grading.drive.question import Arrays, Question

FORBIDDEN = ("lessons_lib.positions",)


def make_sizes(seed: int) -> Arrays:
    """A number of positions and an even width, not equal."""
    draw = np.random.default_rng(seed)
    return {"sizes": np.array([2 * draw.integers(8, 15) + 1, 2 * draw.choice([3, 4, 6])])}


def table_cases(inputs: Arrays) -> dict[str, dict[str, int]]:
    """The arguments of each call, by the name of its case."""
    length, width = inputs["sizes"].tolist()
    return {
        "plain": {"max_length": length, "d_model": width},
        "square": {"max_length": width, "d_model": width},
        "narrow": {"max_length": 7, "d_model": 2},
        "single": {"max_length": 1, "d_model": width + 2},
        "long": {"max_length": 1000, "d_model": 2 * width},
    }


def drive_table(make_table, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for name, arguments in table_cases(inputs).items():
        arrays |= run_case(name, make_table, arguments, ("table",))
    return arrays


def make_heads(seed: int) -> Arrays:
    """heads (B, H, T, d_head), all four sizes different, and where the cases "later" and in 16 bits start.

    From 2049 on, every other position is missing in float16.
    """
    draw = np.random.default_rng(seed)
    length, width = int(draw.integers(5, 8)), 2 * int(draw.integers(4, 7))
    return {
        "heads": draw.normal(size=(2, 3, length, width)).astype(np.float32),
        "start": np.array([draw.integers(3, 12)]),
        "cotangent": draw.normal(size=(length, width)).astype(np.float32),
        "far": np.array([draw.integers(3000, 4000)]),
    }


def rotation_cases(inputs: Arrays) -> dict[str, dict]:
    heads, start = inputs["heads"], int(inputs["start"][0])
    return {
        "plain": {"heads": heads[0, 0]},
        "later": {"heads": heads[0, 0], "start": start},
        "step": {"heads": heads[0, 0, :1], "start": start},
        "heads": {"heads": heads},
        "double": {"heads": heads[0, 0].astype(np.float64), "start": start},
        "float16": {"heads": heads[0, 0].astype(np.float16), "start": int(inputs["far"][0])},
    }


def drive_rotation(rotate, inputs: Arrays) -> Arrays:
    cases, arrays = rotation_cases(inputs), {}
    for name, arguments in cases.items():
        arrays |= run_case(name, rotate, arguments, ("rotated",))
    # NumPy has no bfloat16.
    arrays |= run_case("bfloat16", lambda x, start: rotate(x.bfloat16(), start), cases["float16"], ("rotated",))
    heads, start = cases["later"].values()
    return arrays | gradient_case("gradient", lambda x: rotate(x, start), {"heads": heads}, inputs["cotangent"])


def make_bias_table(seed: int) -> Arrays:
    """table (H, 2·max + 1), a length that is longer than any distance in it, and where "later" starts."""
    draw = np.random.default_rng(seed)
    n_heads, largest, start = 2, int(draw.integers(3, 6)), int(draw.integers(2, 6))
    length = largest + int(draw.integers(4, 7))
    return {
        "table": draw.normal(size=(n_heads, 2 * largest + 1)).astype(np.float32),
        "sizes": np.array([length, start]),
        "cotangent": draw.normal(size=(n_heads, length, start + length)).astype(np.float32),
    }


def bias_cases(inputs: Arrays) -> dict[str, dict]:
    table, (length, start) = inputs["table"], inputs["sizes"].tolist()
    largest = table.shape[1] // 2
    return {
        "plain": {"table": table, "length": length},
        "short": {"table": table, "length": largest},  # no distance needs clipping
        "later": {"table": table, "length": length, "start": start},
        "step": {"table": table, "length": 1, "start": length},
        "double": {"table": table.astype(np.float64), "length": length},
    }


def drive_bias(bias, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for name, arguments in bias_cases(inputs).items():
        arrays |= run_case(name, bias, arguments, ("bias",))
    table, *sizes = bias_cases(inputs)["later"].values()
    return arrays | gradient_case("gradient", lambda x: bias(x, *sizes), {"table": table}, inputs["cotangent"])


QUESTIONS = {
    "q1": Question("the sinusoidal table", "sinusoidal_table(max_length, d_model)", make_sizes, drive_table, FORBIDDEN),
    "q2": Question("turn queries and keys", "rotate(heads, start=0)", make_heads, drive_rotation, FORBIDDEN),
    "q3": Question(
        "a bias for each distance", "relative_bias(table, length, start=0)", make_bias_table, drive_bias, FORBIDDEN
    ),
}
