"""The wrong and the right answers in tests/mutants, with what each says of itself."""

import dataclasses
import functools
import re
from dataclasses import dataclass
from pathlib import Path

from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.notebook import grade
from lessons_lib.grading.report import Result

MUTANTS = Path(__file__).parent / "mutants"
DECLARED = re.compile(r"^(?P<question>q\d+): (?P<points>\d+) of (?P<total>\d+)(?:: (?P<hint>.+))?$", re.MULTILINE)


@dataclass(frozen=True)
class Expected:
    """One line of a mutant's docstring: the points that a question gives it, and a part of the hint."""

    path: Path
    question: str
    points: int
    total: int
    hint: str | None

    @property
    def lesson(self) -> str:
        return self.path.parent.name

    def __str__(self) -> str:
        return f"{self.path.stem}-{self.question}"


def expectations() -> list[Expected]:
    found = []
    for path in sorted(MUTANTS.glob("*/*.py")):
        for match in DECLARED.finditer(path.read_text("utf8")):
            numbers = int(match["points"]), int(match["total"])
            found.append(Expected(path, match["question"], *numbers, match["hint"]))
    return found


@functools.cache
def namespace(path: Path) -> dict:
    """The variables that the file leaves, as a notebook would."""
    variables = {"__name__": "__main__"}
    exec(compile(path.read_text("utf8"), str(path), "exec"), variables)
    return variables


@functools.cache
def graded(expected: Expected) -> Result:
    """The result, with more patience than a learner has, and less for a loop that never ends."""
    declared = questions(expected.lesson)
    original = declared[expected.question]
    seconds = 1.0 if "endless" in expected.path.stem else 60.0
    declared[expected.question] = dataclasses.replace(original, seconds=seconds)
    try:
        return grade(expected.lesson, expected.question, namespace(expected.path))
    finally:
        declared[expected.question] = original
