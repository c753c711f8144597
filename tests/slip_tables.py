"""Wrong answers as edits of the course's own answers: one table for each exercise, `slips/NN_name.toml`."""

import dataclasses
import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

from lessons_lib.grading import parts
from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.notebook import grade
from lessons_lib.grading.reference import solutions
from lessons_lib.grading.report import Result

TABLES = Path(__file__).parent / "slips"


@dataclass(frozen=True)
class Slip:
    """A wrong answer to a question: the edits of a part, and what its hint must hold.

    Edited is the course's own answer, or with `base` another right one, which the table itself holds.
    """

    lesson: str
    question: str
    part: str
    edits: tuple[tuple[str, str], ...]
    hint: str
    base: str | None = None

    def __str__(self) -> str:
        return f"{self.question}-{self.hint[:40]}"

    def text(self) -> str:
        """The edited part.

        Raises:
            ValueError: an old text is not there, or more than once.
        """
        text = solutions()[self.part] if self.base is None else self.base
        for old, new in self.edits:
            if text.count(old) != 1:
                raise ValueError(f"{self.lesson}, {self.part}: {text.count(old)} times {old!r}")
            text = text.replace(old, new)
        return text


def slips() -> list[Slip]:
    found = []
    for path in sorted(TABLES.glob("*.toml")):
        table = tomllib.loads(path.read_text("utf8"))
        for row in table["slip"]:
            base = table["bases"][row["base"]] if "base" in row else None
            found.append(Slip(path.stem, **row | {"edits": tuple(map(tuple, row["edits"])), "base": base}))
    return found


@functools.cache
def course() -> dict:
    """The course's own parts, as a notebook has them."""
    space = parts.assemble("")
    for value in space.values():
        if getattr(value, "__module__", None) == parts.REFERENCE:
            value.__module__ = "__main__"
    return space


@functools.cache
def graded(slip: Slip, seed: int = 0) -> Result:
    space = {**course(), "__name__": "__main__"}
    exec(compile(slip.text(), f"<{slip}>", "exec"), space)
    declared = questions(slip.lesson)
    original = declared[slip.question]
    declared[slip.question] = dataclasses.replace(original, seconds=60.0)  # the machine of the tests may be busy
    try:
        return grade(slip.lesson, slip.question, space, (seed, seed + 1, seed + 2))
    finally:
        declared[slip.question] = original


def slip_hint(slip: Slip) -> str:
    """What the learner is told."""
    return graded(slip).hint or ""
