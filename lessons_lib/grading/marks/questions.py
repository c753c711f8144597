"""What a class was asked: the exercises and their questions, the same for every learner."""

import ast
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lessons_lib.errors import UserError
from lessons_lib.grading.batch.results import Exercise, Learner
from lessons_lib.grading.reference import folder
from lessons_lib.grading.report import Result

HEADING = re.compile(r"^# (Exercise \d+: .+)$", re.MULTILINE)

# How the hint of a question begins that nobody answered, or that could not be graded: no points, and no 0.
ABSENT = ("not handed in", "not found", "not graded", "not answered yet", "cannot be read")
# The same of one of several functions: nobody answered, if the others are as they were handed out, too.
UNTOUCHED = re.compile(r"\w+: not answered yet")


@dataclass(frozen=True)
class Question:
    """One question of one exercise.

    Args:
        lesson: such as `03_multi_head_attention`.
        name: such as `q2`.
        total: points possible.
    """

    lesson: str
    name: str
    title: str
    total: int

    @property
    def label(self) -> str:
        """Such as `3 q2`."""
        return f"{number(self.lesson)} {self.name}"


def asked(learners: Sequence[Learner]) -> dict[str, tuple[Question, ...]]:
    """The questions of each exercise, in order.

    Raises:
        UserError: there is no learner, or two learners were asked different questions.
    """
    if not learners:
        raise UserError("0 learners: there is nothing to report; give a folder with hand-ins")
    first = _asked(learners[0])
    for learner in learners:
        if _asked(learner) != first:
            raise UserError(
                f"{learner.key!r} and {learners[0].key!r} were graded by different questions or points; "
                "grade both again, with the same lessons"
            )
    return first


def _asked(learner: Learner) -> dict[str, tuple[Question, ...]]:
    return {
        each.lesson: tuple(Question(each.lesson, one.question, one.title, one.total) for one in each.results)
        for each in learner.exercises
    }


def number(lesson: str) -> str:
    """`03_multi_head_attention` is exercise `3`."""
    head = lesson.partition("_")[0]
    return head.lstrip("0") if head.strip("0").isdigit() else lesson


@functools.cache
def title(lesson: str) -> str:
    """The heading of an exercise, such as `Exercise 3: build multi-head attention`; else what its name says."""
    source = folder() / f"{lesson}.py"
    found = HEADING.search(source.read_text("utf8")) if source.is_file() else None
    if found:
        return found[1]
    head, _, words = lesson.partition("_")
    return f"Exercise {number(lesson)}: {words.replace('_', ' ')}" if head.isdigit() else lesson.replace("_", " ")


def handed_in(exercise: Exercise, result: Result) -> bool:
    """Whether there was an answer to this question, right or wrong."""
    hint = result.hint or ""
    untouched = UNTOUCHED.match(hint) and _is_untouched(exercise.answers.get(result.question, ""))
    return bool(exercise.file) and not hint.startswith(ABSENT) and not untouched


def _is_untouched(answer: str) -> bool:
    """Whether each function and class in it still says that it is to be written."""
    try:
        parts = ast.parse(answer).body
    except SyntaxError:
        return False
    made = [ast.unparse(part) for part in parts if isinstance(part, ast.FunctionDef | ast.ClassDef)]
    return all("raise NotImplementedError" in text for text in made)


def missing(learner: Learner) -> int:
    """How many questions of the learner were not handed in."""
    return sum(not handed_in(each, one) for each in learner.exercises for one in each.results)


def shown(learner: Learner) -> str:
    """How a page calls the learner."""
    return learner.name or learner.key
