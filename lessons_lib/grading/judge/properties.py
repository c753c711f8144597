"""Steps that many questions share: each gives None, or the sentence for the learner."""

from collections.abc import Mapping

import numpy as np

from lessons_lib.grading.judge.compare import close, difference
from lessons_lib.grading.judge.step import Case

Arrays = Mapping[str, np.ndarray]
KEPT = "Right at first, but not after calls with other arguments (is something kept between calls?)"


def differs(case: Case, right: Arrays, sentence: str, tolerance: float = 1e-4) -> str | None:
    """The sentence and what went wrong, unless the call gave every array of `right`."""
    if case.error is not None:
        return f"{sentence}: {case.error}"
    for name, expected in right.items():
        given = case[name]
        if given.shape != expected.shape:
            return f"{sentence}: `{name}` has the shape {given.shape}, not {expected.shape}"
        if not close(given, expected, tolerance):
            return f"{sentence}: {difference(name, given, expected)}"
    return None


def random_or_rounded(case: Case, again: Case, name: str, right: np.ndarray) -> str | None:
    """Mistakes that look like many others: something random is left on, or the right numbers are rounded."""
    given = case[name]
    if not np.isfinite(given).all():
        return None
    if given.dtype == np.float16 and close(given, right, 0.01):
        return f"`{name}` is float16; give it back in the dtype of the inputs."
    if again.error is None and name in again.arrays and not close(again[name], given):
        return f"Two calls with the same arguments give different {name}: is dropout left on, or a layer made anew?"
    for digits in range(int(np.isin(given, (0, 1)).all()), 5):
        step = 10.0**-digits
        if close(given, np.round(right, digits), 1e-6) or (
            given.dtype.kind == "f"
            and given.shape == right.shape
            and close(given, np.round(given, digits), 1e-6)
            and _near(given, right, step)
        ):
            return f"`{name}` is rounded to {digits} digits; return the numbers as they are."
    return None


def another(given: np.ndarray, before: np.ndarray) -> bool:
    """Whether a second call gave other numbers; NaN once more is the same."""
    return not close(np.nan_to_num(given), np.nan_to_num(before))


def odd_rows(weights: np.ndarray) -> str | None:
    """What is odd about weights (…, T, S), of which each row should sum to 1."""
    weights = weights.astype(np.float64)
    if not np.isfinite(weights).all():
        return "The weights hold NaN or infinite numbers."
    if close(weights, np.full_like(weights, 1 / weights.shape[-1])):
        return "All weights are equal: they must come of the scores, the products of queries and keys."
    if close(weights.sum(axis=-2), np.ones_like(weights[..., 0, :])):
        return "The columns of the weights sum to 1, and the rows should: is the softmax over the keys, dim=-1?"
    if np.isin(weights, (0, 1)).all():
        return "The weights are nothing but 0 and 1 (argmax?); the softmax gives each key a share."
    sums = weights.sum(axis=-1)
    if not close(sums, np.ones_like(sums)):
        row = np.unravel_index(int(np.abs(sums - 1).argmax()), sums.shape)
        return f"The weights of a query must sum to 1; those of query {row[-1]} sum to {sums[row]:.3g}."
    return None


def _near(given: np.ndarray, right: np.ndarray, step: float) -> bool:
    return bool(np.ptp(right) > step and np.abs(given - right).max() <= 0.51 * step)


def changed_in_place(case: Case, arguments: Arrays) -> str | None:
    for name, before in arguments.items():
        if not np.array_equal(case[f"{name}_after"], before):
            return (
                f"Your function changes the caller's {name}: make a new tensor, as `x = x / y` and `x.clone()` do; "
                "`x /= y`, `x[…] = y` and a method ending in `_` write into the old one."
            )
    return None


def other_dtype(case: Case, names: tuple[str, ...], due: type) -> str | None:
    for name in names:
        if case[name].dtype != due:
            return (
                f"For {np.dtype(due)} inputs `{name}` is {case[name].dtype}; give it back in the dtype of the inputs."
            )
    return None


def wrong_gradients(case: Case, right: Arrays) -> str | None:
    if case.error is not None:
        return f"No gradient flows, so nothing could be trained: {case.error}"
    for name, expected in right.items():
        if not np.isfinite(case[name]).all():
            return f"The gradient of {name} is NaN or infinite, though the result is right."
        if not close(case[name], expected):
            return f"The gradient of {name} is wrong, though the result is right (is a part of it detached?)."
    return None
