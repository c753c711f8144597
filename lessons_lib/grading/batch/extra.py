"""`--extra-checks DIR`: an instructor's own checks, a file each, beside the course's.

    QUESTION = "3.q1"
    TITLE = "holds for one head"
    POINTS = 2

    def make(rng):                   # here: from a NumPy generator to named inputs
        return {"x": rng.normal(size=(2, 3, 4)).astype("float32")}

    def drive(answer, inputs):       # in the answer's own process, which has no network and no files
        import torch
        return {"heads": answer(torch.from_numpy(inputs["x"].copy()), 1).numpy()}

    def judge(inputs, results):      # here: None if it is right, or one sentence for the learner
        if results["heads"].shape != (2, 1, 3, 4):
            return f"With one head the shape is {results['heads'].shape}; (2, 1, 3, 4) is due."

What crosses are named arrays of numbers. Of the file the answer's process gets `drive`, the imports and the constants,
and neither `make` nor `judge`. Where a question asks for several functions, `answer` is a tuple of them.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lessons_lib.errors import UserError
from lessons_lib.grading.drive.run import LESSONS, questions
from lessons_lib.grading.edition import MOST_POINTS

Arrays = Mapping[str, np.ndarray]
HERE = {"make", "judge"}  # what the answer's process does not get


@dataclass(frozen=True)
class Extra:
    """One check: for which question, its step, and the text of what drives the answer."""

    name: str
    lesson: str
    question: str
    title: str
    points: int
    make: Callable[[np.random.Generator], Arrays]
    judge: Callable[[Arrays, Arrays], str | None]
    driver: str
    text: str

    @property
    def asks(self) -> str:
        """Such as `3.q1`."""
        return f"{int(self.lesson)}.{self.question}"


def read(folder: Path) -> list[Extra]:
    """The checks of a folder, in the order of their file names.

    Raises:
        UserError: there is none, or a file is not such a check; the sentence names the file and what is missing.
    """
    paths = sorted(folder.glob("[!_.]*.py"))
    if not paths:
        raise UserError(
            f"{folder} holds no .py file; an extra check is a file with QUESTION, TITLE, POINTS and 3 functions"
        )
    return [_read(path) for path in paths]


def _read(path: Path) -> Extra:
    try:
        text = path.read_text("utf8")
        space: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
        exec(compile(text, str(path), "exec"), space)
    except Exception as error:
        raise UserError(f"{path} cannot be run: {type(error).__name__}: {error}") from None
    number, _, question = str(space.get("QUESTION", "")).partition(".")
    lesson = f"{int(number):02}" if number.isdecimal() else ""
    if f"lesson_{lesson}" not in LESSONS or question not in questions(lesson):
        raise UserError(f'{path}: QUESTION = {space.get("QUESTION")!r} is no question; write QUESTION = "3.q1"')
    title, points = space.get("TITLE"), space.get("POINTS")
    if not isinstance(title, str) or not title.strip():
        raise UserError(f"{path}: TITLE = {title!r} is no text; say in a few words what is checked")
    if type(points) is not int or not 0 <= points <= MOST_POINTS:
        raise UserError(
            f"{path}: POINTS = {points!r} is no number of points; write a whole one from 0 to {MOST_POINTS}"
        )
    for name in ("make", "drive", "judge"):
        if not callable(space.get(name)):
            raise UserError(
                f"{path} has no function {name}; it needs make(rng), drive(answer, inputs), judge(inputs, results)"
            )
    return Extra(path.stem, lesson, question, title, points, space["make"], space["judge"], driver(text), text)


def driver(text: str) -> str:
    """What the answer's process gets of a check."""
    kept = [node for node in ast.parse(text).body if getattr(node, "name", None) not in HERE]
    return ast.unparse(ast.Module(kept, []))


_in_use: list[Extra] = []


def use(extras: Sequence[Extra]) -> None:
    """Grade with these, from now on in this process and those that it forks."""
    _in_use[:] = extras


def of(lesson: str | None = None, question: str | None = None) -> list[Extra]:
    """Those in use, for a lesson or one question of it."""
    here = (one for one in _in_use if lesson is None or one.lesson == lesson[:2])
    return [one for one in here if question in (None, one.question)]
