"""Which of several results the grader could not tell apart."""

import itertools
from collections.abc import Sequence

from lessons_lib.grading.judge.compare import close


def alike(versions: Sequence, tolerance: float | None = None) -> list[tuple[int, int]]:
    """Pairs of places that hold the same; in most tables place 0 is the right result, and place i is mistake i − 1."""
    given = () if tolerance is None else (tolerance,)
    pairs = itertools.combinations(enumerate(versions), 2)
    return [(i, j) for (i, a), (j, b) in pairs if close(a, b, *given)]
