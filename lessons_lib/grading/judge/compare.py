"""Comparing a learner's array with the right one, and with the wrong ones that have a name."""

import itertools
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


# What a learner's array may be of the right one: the phrase, and the function.
RELATIONS: list[tuple[str, Callable[[np.ndarray], np.ndarray]]] = [
    ("the square of what is due", np.square),
    ("the root of what is due", np.sqrt),
    ("the root of the root of what is due", lambda right: np.sqrt(np.sqrt(right))),
    ("e to the power of what is due", np.exp),
    ("the logarithm of what is due", np.log),
    ("1 divided by what is due", lambda right: 1 / right),
    ("1 minus what is due", lambda right: 1 - right),
    ("what is due without its sign", np.abs),
    ("what is due with 0 for all that is negative", lambda right: np.maximum(right, 0)),
]


def difference(name: str, given: np.ndarray, right: np.ndarray) -> str:
    """Where the two differ most, as a phrase: `weights[0, 2] is 0.31 and should be 0.12`, and how both are related."""
    given, right = given.astype(np.float64), right.astype(np.float64)
    gap = np.nan_to_num(np.abs(given - right), nan=np.inf)
    place = np.unravel_index(int(gap.argmax()), gap.shape)
    index = ", ".join(str(int(i)) for i in place)
    phrase = "{}[{}] is {} and should be {}".format(name, index, *_apart(given[place], right[place]))
    relation = related(given, right, place) if given.size > 1 and np.isfinite(given).all() else None
    return f"{phrase}; {relation}" if relation else phrase


def _apart(given: float, right: float) -> tuple[str, str]:
    """Both with four digits, or with as many as it takes to tell them apart."""
    texts = ((f"{given:.{digits}g}", f"{right:.{digits}g}") for digits in range(4, 18))
    return next((pair for pair in texts if pair[0] != pair[1]), (f"{given:.4g}", f"{right:.4g}"))


def related(given: np.ndarray, right: np.ndarray, place: tuple[int, ...]) -> str | None:
    """`all of it is 2 times what is due`, or another relation of the two arrays, the simplest there is."""
    factor = given[place] / right[place] if right[place] else np.nan
    if given[place] and close(given, factor * right):
        return f"all of it is {factor:.4g} times what is due"
    if np.ptp(right) < 1e-3:  # all numbers alike: whatever is done to them, it looks the same
        return None
    more = given[place] - right[place]
    if close(given, right + more, 1e-5):
        return f"all of it is {abs(more):.4g} too {'large' if more > 0 else 'small'}"
    with np.errstate(all="ignore"):
        for phrase, relation in RELATIONS:
            if close(given, relation(right), 1e-5):
                return f"all of it is {phrase}"
    return _moved(given, right) or _alone(given, right)


def _moved(given: np.ndarray, right: np.ndarray) -> str | None:
    """The right numbers at other places."""
    for axis in range(right.ndim):
        if close(given, np.flip(right, axis)):
            return f"the right numbers, but turned round along axis {axis}"
        for step in (1, -1):
            if close(given, np.roll(right, step, axis)):
                return f"the right numbers, but moved by {step:+d} along axis {axis}"
    for first, second in itertools.combinations(range(right.ndim), 2):
        swapped = right.swapaxes(first, second)
        if swapped.shape == given.shape and close(given, swapped):
            return f"the right numbers, but with axes {first} and {second} exchanged"
    return None


def _alone(given: np.ndarray, right: np.ndarray) -> str | None:
    """Where alone they differ: a run of places on one axis, at most half of it, or every second one."""
    wrong = ~np.isclose(given, right, rtol=1e-3, atol=1e-3)
    runs = []
    for axis in range(right.ndim):
        places = np.flatnonzero(wrong.any(axis=tuple(other for other in range(right.ndim) if other != axis)))
        if 0 < len(places) <= right.shape[axis] / 2 and len(places) == places[-1] - places[0] + 1:
            runs.append((len(places) / right.shape[axis], axis, places[0], places[-1]))
        if len(places) > 1 and list(places) == list(range(places[0], right.shape[axis], 2)):
            return f"on axis {axis} only every second place is wrong, from {places[0]} on"
    if not runs:
        return None
    _, axis, first, last = min(runs)
    where = f"place {first}" if first == last else f"places {first} to {last}"
    return f"on axis {axis} only {where} {'is' if first == last else 'are'} wrong"
