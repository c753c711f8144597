"""Comparing a learner's array with the right one, and with the wrong ones that have a name."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Wrong = tuple[str, Callable[..., np.ndarray]]  # the sentence, and the version of the reference that makes the mistake


def close(given: np.ndarray, right: np.ndarray, tolerance: float = 1e-4) -> bool:
    """Same shape, and equal to `tolerance` (absolute below 1, relative above). NaN is equal to nothing.

    Where numbers in the thousands cancel, what is left in float32 is not exact to 1e-4: beside numbers above 100, a
    hundredth of the largest counts as 1.
    """
    if given.shape != right.shape:
        return False
    largest = np.abs(right[np.isfinite(right)]).max(initial=0.0)
    return np.allclose(given, right, rtol=tolerance, atol=tolerance * max(1.0, largest / 100))


def name_mistake(given: np.ndarray, wrong: Iterable[Wrong], *arguments: Any) -> str | None:
    """The sentence of the first wrong version that gives the learner's array."""
    for sentence, version in wrong:
        try:
            with np.errstate(all="ignore"):
                mistaken = version(*arguments)
        except ValueError:  # this mistake is impossible with these shapes
            continue
        if close(given, mistaken, 1e-3):
            return sentence
    return None


def difference(name: str, given: np.ndarray, right: np.ndarray) -> str:
    """Where the two differ most, as a phrase: `weights[0, 2] is 0.31 and should be 0.12`, and whether by one factor."""
    given = given.astype(np.float64)
    gap = np.nan_to_num(np.abs(given - right), nan=np.inf)
    place = np.unravel_index(int(gap.argmax()), gap.shape)
    index = ", ".join(str(int(i)) for i in place)
    factor = given[place] / right[place] if right[place] else np.nan
    scaled = given.size > 1 and given[place] and close(given, factor * right)
    often = f"; all of it is {factor:.4g} times what is due" if scaled else ""
    return f"{name}[{index}] is {given[place]:.4g} and should be {right[place]:.4g}{often}"
