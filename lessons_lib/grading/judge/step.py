"""What a lesson's judge declares, and what it looks at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lessons_lib.grading.arrays import read_text


@dataclass(frozen=True)
class Case:
    """One call of the learner's code: the arrays that came of it, or the sentence that says why none did."""

    name: str
    arrays: dict[str, np.ndarray]

    @property
    def error(self) -> str | None:
        return read_text(self.arrays["error"]) if "error" in self.arrays else None

    def __getitem__(self, name: str) -> np.ndarray:
        if self.error is not None:
            raise Missing(self.error)
        if name not in self.arrays:
            raise Missing(f"the call {self.name!r} left no {name!r}")
        return self.arrays[name]


class Cases:
    """All calls of one drive, by name."""

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self._arrays: dict[str, dict[str, np.ndarray]] = {}
        for full_name, array in arrays.items():
            case, _, name = full_name.partition(".")
            self._arrays.setdefault(case, {})[name] = array

    def __getitem__(self, name: str) -> Case:
        if name not in self._arrays:
            raise Missing(f"the call {name!r} was not made")
        return Case(name, self._arrays[name])


class Missing(Exception):
    """A step asked for an array that did not come; the sentence is the hint."""


@dataclass(frozen=True)
class Step:
    """One step of a question: a name for the learner, its points, and `judge(inputs, cases)`: None, or the hint."""

    title: str
    points: int
    judge: Callable[[dict[str, np.ndarray], Cases], str | None]
