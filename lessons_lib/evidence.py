"""What a measurement shows: a mean with its spread, a comparison in pairs, and one word of verdict (lesson 13).

A number that depends on chance is a draw. Train again with another seed, or translate other sentences, and it is
another one. So a claim needs several draws, something to compare with, and a bound that was fixed before the numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from lessons_lib.errors import UserError

CONFIDENCE = 0.95
RESAMPLES = 1_000

Draws = Sequence[float | int] | np.ndarray
Word = Literal["true", "false", "open"]


@dataclass(frozen=True)
class Estimate:
    """A mean, and the interval that in 95 of 100 such experiments would hold the true one; of ``n`` draws."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self}"

    def __format__(self, form: str) -> str:
        """``f"{estimate:.2f}"`` gives ``0.10 [0.07, 0.13]``; the form is that of one number, by default ``.2f``."""
        form = form or ".2f"
        return f"{self.mean:{form}} [{self.low:{form}}, {self.high:{form}}]"


def estimate(values: Draws) -> Estimate:
    """Mean and interval of independent draws, one a seed, by Student's t (Student 1908).

    Raises:
        ValueError: fewer than two draws, which say nothing about their spread, or a number that is not finite.
    """
    draws = _finite(values)
    if len(draws) < 2:
        raise UserError(f"{len(draws)} value shows no spread; give one a seed, of at least two seeds")
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(draws) - 1) * draws.std(ddof=1) / len(draws) ** 0.5
    return Estimate(float(draws.mean()), float(draws.mean() - half), float(draws.mean() + half), len(draws))


def paired(a: Draws, b: Draws) -> Estimate:
    """The mean of a − b, seed by seed: what both share (data, order, luck) falls out of the difference.

    Raises:
        ValueError: the two have not the same number of draws, or fewer than two.
    """
    first, second = _finite(a), _finite(b)
    if len(first) != len(second):
        raise UserError(f"{len(first)} and {len(second)} values are no pairs; give one of each a seed")
    return estimate(first - second)


def share(hits: int, total: int) -> Estimate:
    """A share of ``total`` independent cases, with Wilson's interval (1927), which holds for few cases, and for no hit.

    Raises:
        ValueError: there is no case, or ``hits`` is not between 0 and ``total``.
    """
    if not 0 <= hits <= total or total == 0:
        raise UserError(f"{hits} of {total} is no share; give 0 ≤ hits ≤ total, and at least one case")
    interval = stats.binomtest(hits, total).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(hits / total, float(interval.low), float(interval.high), total)


def bootstrap(
    statistic: Callable[[np.ndarray], float], n_cases: int, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """A statistic of the cases 0 … n_cases − 1, and the interval it keeps to when they are drawn with replacement
    (Efron 1979). For a comparison, ``statistic`` computes the difference of both systems *on the same cases*: that is
    paired bootstrap (Koehn 2004, section 3).

    Args:
        statistic: called with indices of cases, (n_cases,), and gives one number.
    Raises:
        ValueError: there is no case, or ``resamples`` is not positive.
    """
    if n_cases < 1 or resamples < 1:
        raise UserError(f"n_cases={n_cases} and resamples={resamples} must both be at least 1")
    random = np.random.default_rng(seed)
    drawn = _finite([statistic(random.integers(n_cases, size=n_cases)) for _ in range(resamples)])
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(float(statistic(np.arange(n_cases))), float(low), float(high), n_cases)


def above(measured: Estimate, bound: float | int = 0.0) -> Word:
    """Is it more than ``bound``? "true" if the whole interval is, "false" if the whole interval is not, else "open"."""
    if measured.low > bound:
        return "true"
    return "false" if measured.high <= bound else "open"


def within(difference: Estimate, margin: float | int) -> Word:
    """Are both as good, up to ``margin``? "true" if the whole interval is between −margin and margin.

    Not finding a difference does not show that there is none: a wide interval is "open" (Altman and Bland 1995).
    """
    if -margin < difference.low and difference.high < margin:
        return "true"
    return "false" if difference.low >= margin or difference.high <= -margin else "open"


def _finite(values: Draws) -> np.ndarray:
    draws = np.asarray(values, dtype=float)
    if not np.isfinite(draws).all():
        raise UserError(f"{draws[~np.isfinite(draws)][0]} is no measurement; leave the failed run out, and say so")
    return draws
