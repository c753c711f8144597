"""What a batch knows in the end: learners, their exercises, and the result of each question; as JSON and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lessons_lib.grading.report import Result


@dataclass(frozen=True)
class Exercise:
    """One hand-in of one exercise.

    Args:
        lesson: such as `03_multi_head_attention`.
        file: its path below the folder of hand-ins; "" where none was handed in.
        results: of every question, in order; those of a missing hand-in have 0 points and say "not handed in".
        notes: what the instructor should know: cells that cannot be read, a machine that failed.
        answers: the text of what was run for each question, without the course's own code.
    """

    lesson: str
    file: str
    results: tuple[Result, ...]
    notes: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def points(self) -> int:
        return sum(result.points for result in self.results)

    @property
    def total(self) -> int:
        return sum(result.total for result in self.results)

    def as_json(self) -> dict[str, Any]:
        results = [
            {
                "question": one.question,
                "title": one.title,
                "steps": [list(step) for step in one.steps],
                "hint": one.hint,
            }
            for one in self.results
        ]
        return {
            "lesson": self.lesson,
            "file": self.file,
            "results": results,
            "notes": list(self.notes),
            "answers": dict(self.answers),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Exercise":
        """The opposite of `as_json`.

        Raises:
            KeyError, TypeError: it has another form.
        """
        results = tuple(
            Result(one["question"], one["title"], tuple(map(tuple, one["steps"])), one["hint"])
            for one in found["results"]
        )
        return cls(found["lesson"], found["file"], results, tuple(found["notes"]), dict(found["answers"]))


@dataclass(frozen=True)
class Learner:
    """One learner, with every exercise that is graded, in the order of the lessons.

    Args:
        key: how the hand-ins call the learner: a folder's or file's name; unique.
        name, email, number: from the roster, else the key and "".
    """

    key: str
    exercises: tuple[Exercise, ...]
    name: str = ""
    email: str = ""
    number: str = ""

    @property
    def points(self) -> int:
        return sum(one.points for one in self.exercises)

    @property
    def total(self) -> int:
        return sum(one.total for one in self.exercises)
