"""Right and wrong answers to the exercises, and what the grader says of them.

Right ones of another kind than the course's lie in `right/NN_name/`; the docstring of each says the points of each
question. Wrong ones are edits of right ones: one table for each exercise, `slips/NN_name.toml`.
"""

import ast
import dataclasses
import functools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lessons_lib.grading import parts
from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.notebook import grade
from lessons_lib.grading.reference import solutions
from lessons_lib.grading.report import Result

HERE = Path(__file__).parent
LESSONS = sorted(path.stem for path in (HERE / "slips").glob("*.toml"))
DECLARED = re.compile(r"^(?P<question>q\d+): (?P<points>\d+) of (?P<total>\d+)(?:: (?P<hint>.+))?$", re.MULTILINE)


@dataclass(frozen=True)
class Right:
    """One line of a right answer's docstring: the points that a question gives it, and a part of the hint, if any."""

    lesson: str
    name: str
    question: str
    points: int
    total: int
    hint: str | None

    def __str__(self) -> str:
        return f"{self.lesson[:2]}-{self.name}-{self.question}"


@dataclass(frozen=True)
class Slip:
    """A wrong answer to a question: the edits of a right one, or its whole text, and what the grader says.

    Args:
        of: the right answer, by its name in `right/`; None ("course") is the course's own, as `ast.unparse` writes it.
        part: the function or class that is edited; None ("all"), where the edits are unique in the whole text.
        answer: the whole text, where it is no edit ("whole").
        points: that the question gives all the same.
        full: other questions, which this answer gets all points of.
    """

    lesson: str
    question: str
    hint: str
    of: str | None = None
    part: str | None = None
    edits: tuple[tuple[str, str], ...] = ()
    answer: str | None = None
    points: int = 0
    full: tuple[str, ...] = ()
    seconds: float = 60.0  # the machine of the tests may be busy

    def __str__(self) -> str:
        return f"{self.lesson[:2]}-{self.question}-{self.hint[:40]}"

    def text(self) -> str:
        """What the learner would have written.

        Raises:
            ValueError: an old text is not there, or more than once.
        """
        if self.answer is not None:
            return self.answer
        whole = right_text(self.lesson, self.of) if self.of else ast.unparse(ast.parse(solutions()[self.part]))
        before = text = _definition(whole, self.part) if self.part else whole
        for old, new in self.edits:
            if text.count(old) != 1:
                raise ValueError(f"{self}: {text.count(old)} times {old!r}")
            text = text.replace(old, new)
        return whole.replace(before, text)


def _definition(text: str, name: str) -> str:
    found = [node for node in ast.parse(text).body if getattr(node, "name", None) == name]
    return "\n".join(text.split("\n")[found[-1].lineno - 1 : found[-1].end_lineno])


def right_answers() -> list[Right]:
    found = []
    for path in sorted(HERE.glob("right/*/*.py")):
        for match in DECLARED.finditer(path.read_text("utf8")):
            numbers = int(match["points"]), int(match["total"])
            found.append(Right(path.parent.name, path.stem, match["question"], *numbers, match["hint"]))
    return found


def slips(lesson: str | None = None) -> list[Slip]:
    """The wrong answers to one exercise, or to all."""
    return [slip for name in ([lesson] if lesson else LESSONS) for slip in _table(name)]


def _table(lesson: str) -> Iterator[Slip]:
    """Each row stands under its question, the right answer that it edits, and the part: `[[q1.plain.rotate]]`."""
    for question, under in tomllib.loads((HERE / "slips" / f"{lesson}.toml").read_text("utf8")).items():
        for row in under.pop("whole", []):
            yield Slip(lesson, question, **_tuples(row))
        for of, edited in under.items():
            for part, rows in edited.items():
                where = {"of": None if of == "course" else of, "part": None if part == "all" else part}
                yield from (Slip(lesson, question, **where, **_tuples(row)) for row in rows)


def _tuples(row: dict) -> dict:
    lists = {"edits": tuple(map(tuple, row.get("edits", ()))), "full": tuple(row.get("full", ()))}
    return row | lists


def right_text(lesson: str, name: str) -> str:
    """Without its docstring, so that line 1 of a hint is the answer's own."""
    text = (HERE / "right" / lesson / f"{name}.py").read_text("utf8")
    return text.split('"""', 2)[2].lstrip("\n")


@functools.cache
def course() -> dict:
    """The course's own parts, as a notebook has them."""
    space = parts.assemble("")
    for value in space.values():
        if getattr(value, "__module__", None) == parts.REFERENCE:
            value.__module__ = "__main__"
    return space


@functools.cache
def namespace(answer: Right | Slip) -> dict:
    """The variables that the answer leaves, as a notebook would; beside the course's other parts, if it is no whole."""
    alone = isinstance(answer, Slip) and answer.answer is not None
    space = {**({} if alone else course()), "__name__": "__main__"}
    text = answer.text() if isinstance(answer, Slip) else right_text(answer.lesson, answer.name)
    exec(compile(text, f"<{answer}>", "exec"), space)
    return space


@functools.cache
def graded(answer: Right | Slip, question: str, seed: int = 0) -> Result:
    """What the grader says with the inputs of three seeds; a notebook draws the third anew each time."""
    declared = questions(answer.lesson)
    original = declared[question]
    declared[question] = dataclasses.replace(original, seconds=getattr(answer, "seconds", 60.0))
    try:
        return grade(answer.lesson, question, namespace(answer), (seed, seed + 1, seed + 2))
    finally:
        declared[question] = original
