"""Which of several results the grader could not tell apart."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lessons_lib.grading.judge.compare import close
from lessons_lib.grading.judge.variations import Axes, deviations, name_variation


def alike(versions: Sequence, tolerance: float | None = None) -> list[tuple[int, int]]:
    """Pairs of places that hold the same; in most tables place 0 is the right result, and place i is mistake i − 1."""
    given = () if tolerance is None else (tolerance,)
    pairs = itertools.combinations(enumerate(versions), 2)
    return [(i, j) for (i, a), (j, b) in pairs if close(a, b, *given)]


def unnamed(formula: Callable, axes: Axes, *arguments: Any) -> list[str]:
    """The sentences of single wrong choices that are not said of what they give."""
    with np.errstate(all="ignore"):
        made = [(said, formula(*arguments, **choices)) for (said,), choices in deviations(axes, 1)]
    return [said for said, mistaken in made if said not in (name_variation(mistaken, formula, axes, *arguments) or "")]
