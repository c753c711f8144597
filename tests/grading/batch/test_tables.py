"""Right and wrong answers of the tables, by the way that a class is graded: caught, with the same hint."""

import json
import os
import re
from pathlib import Path

import pytest
from answers import LESSONS, Slip, right_answers, right_text, slips

from lessons_lib.grading.batch import box
from lessons_lib.grading.batch.answers import Notebook
from lessons_lib.grading.batch.lane import Lane
from lessons_lib.grading.batch.server import Server
from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.reference import solutions

ROOT = Path(__file__).parents[3]
SEEDS = (0, 1, 2)
QUOTED = re.compile(r" \(`.*?`\)(?=: )")  # the line of the answer, which a cell has and a table's text has not
OF_AN_EARLIER_ONE = re.compile(r"get (check\(\"q\d\"\)|the other questions) right|^not found|^NameError|^still running")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="grading in processes needs fork")


@pytest.fixture(scope="module")
def lane():
    server = Server(box.level())
    yield Lane(server, 0)
    server.close()


def setup(lesson: str) -> list[str]:
    """The cells that the exercise hands out in front of its questions."""
    found = json.loads((ROOT / "exercises" / f"{lesson}.ipynb").read_text("utf8"))["cells"]
    return ["".join(cell["source"]) for cell in found if "setup" in cell["metadata"].get("tags", [])]


def two_of_each_question() -> list[Slip]:
    chosen: dict[tuple[str, str], list[Slip]] = {}
    for slip in slips():
        if not OF_AN_EARLIER_ONE.search(slip.hint):  # a question is judged on its own here
            chosen.setdefault((slip.lesson, slip.question), []).append(slip)
    two = [slip for each in chosen.values() for slip in each[:: max(1, len(each) - 1)][:2]]
    # What the course has built cannot be called here: the hint comes from another place than in a notebook.
    return two + [slip for slip in slips() if slip.hint.startswith("the answer calls") and slip not in two]


@pytest.mark.parametrize("slip", two_of_each_question(), ids=str)
def test_a_mistake_is_caught_with_its_hint(lane, slip):
    rest = [solutions()[name] for name in questions(slip.lesson)[slip.question].signatures]
    result = lane.grade(slip.lesson, slip.question, Notebook([*setup(slip.lesson), *rest, slip.text()]), SEEDS)
    assert slip.hint in QUOTED.sub("", result.hint or "")
    assert result.points == slip.points


@pytest.mark.parametrize("lesson", LESSONS)
def test_right_answers_of_other_kinds_have_all_points(lane, lesson):
    for answer in right_answers():
        if answer.lesson == lesson and answer.name.startswith(("plain", "inherited")) and answer.points == answer.total:
            notebook = Notebook([*setup(lesson), right_text(lesson, answer.name)])
            result = lane.grade(lesson, answer.question, notebook, SEEDS)
            assert result.points == answer.points or "not found" in result.hint, (answer, result.hint)
