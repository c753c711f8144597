"""The rarer mistakes: each has a name, and an answer in tests/slips that makes it and is told so."""

import importlib
import re

import pytest
from slip_tables import graded, slip_hint, slips

from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.judge.scales import ODD_SCALES

LESSONS = sorted({slip.lesson for slip in slips()})


def rare(lesson):
    module = importlib.import_module(f"lessons_lib.grading.judge.mistakes_{lesson[:2]}")
    tables = [getattr(module, name) for name in dir(module) if name.startswith("RARE_")]
    return {sentence for table in tables for sentence, _ in table} - {sentence for sentence, _ in ODD_SCALES}


def without_numbers(text):
    """One of a family stands for all: the last 2 tokens, the last 3."""
    return re.sub(r"\d+(\.\d+)?", "#", text)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_rare_mistake_is_made_by_some_answer(lesson):
    hints = without_numbers(" ".join(slip_hint(slip) for slip in slips() if slip.lesson == lesson))
    assert [sentence for sentence in sorted(rare(lesson)) if without_numbers(sentence) not in hints] == []


def test_every_odd_scale_is_told_in_some_exercise():
    hints = " ".join(slip_hint(slip) for slip in slips())
    assert [sentence for sentence, _ in ODD_SCALES if sentence not in hints] == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_is_edited_is_a_right_answer(lesson):
    """An edit shows nothing if the answer was wrong before."""
    of_other_answers = {slip.base: slip for slip in slips() if slip.lesson == lesson and slip.base}
    for slip in of_other_answers.values():
        whole = slip.__class__(slip.lesson, slip.question, slip.part, (), "", slip.base)
        assert slip.question in questions(lesson)
        assert graded(whole).hint is None, graded(whole).text()
