"""A wrong answer as the right formula with one of its choices made otherwise, or two of them."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lessons_lib.grading.judge.compare import close

# By the keyword of the formula that makes the choice: each wrong value, behind the sentence for who has chosen it.
Axes = Mapping[str, Sequence[tuple[str, Any]]]


def deviations(axes: Axes, count: int) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every way to make `count` of the choices wrong: the sentences, and the keywords."""
    for names in itertools.combinations(axes, count):
        for chosen in itertools.product(*(axes[name] for name in names)):
            values = [value for _, value in chosen]
            yield tuple(sentence for sentence, _ in chosen), dict(zip(names, values, strict=True))


def name_variation(given: np.ndarray, formula: Callable[..., np.ndarray], axes: Axes, *arguments: Any) -> str | None:
    """What was chosen wrongly, if one wrong choice, or else two, give the learner's array.

    Where several do, with as many wrong choices, it says what they have in common; where that is nothing and they are
    two, both.
    """
    for count in (1, 2):
        found: list[tuple[str, ...]] = []
        for sentences, choices in deviations(axes, count):
            try:
                with np.errstate(all="ignore"):
                    mistaken = formula(*arguments, **choices)
            except (ValueError, IndexError):  # these choices are impossible with these shapes
                continue
            if close(given, mistaken, 1e-3) and sentences not in found:
                found.append(sentences)
        if found:
            return in_common(found)
    return None


def in_common(found: list[tuple[str, ...]]) -> str | None:
    """What all explanations say, or both where there are two that share nothing."""
    common = [sentence for sentence in found[0] if all(sentence in other for other in found)]
    if common:
        return " ".join(common)
    return f"Either: {' '.join(found[0])} Or: {' '.join(found[1])}" if len(found) == 2 else None
