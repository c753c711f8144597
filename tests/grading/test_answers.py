"""Right answers get all points, each wrong one its own hint, and each mistake with a name is made by some answer."""

import importlib
import itertools
import re
from collections import Counter

import pytest
from answers import LESSONS, graded, right_answers, slips

from lessons_lib.grading.judge.scales import ODD_SCALES, ODD_SHARES

RIGHT, WRONG = right_answers(), slips()
SHARED = [*ODD_SCALES, *ODD_SHARES]  # by the tables of several exercises
# Two tables of exercise 5 say which function of the model is meant.
PREFIXES = {"WRONG_ENCODE": "encode: ", "WRONG_DECODE": "decode: "}


def tables(lesson, begins):
    """The sentences of an exercise's tables, each as a learner reads it."""
    found = importlib.import_module(f"lessons_lib.grading.lesson_{lesson[:2]}.mistakes")
    for name in filter(re.compile(begins).match, dir(found)):
        table = getattr(found, name)
        rows = itertools.chain(*table.values()) if isinstance(table, dict) else table
        yield [f"{PREFIXES.get(name, '')}{sentence}" for sentence, _ in rows]


def hints(lesson):
    return "\n".join(graded(slip, slip.question).hint or "" for slip in slips(lesson))


def without_numbers(text):
    """One of a family stands for all: the last 2 tokens, the last 3."""
    return re.sub(r"\d+(\.\d+)?", "#", text)


@pytest.mark.parametrize("right", RIGHT, ids=str)
def test_a_right_answer_gets_its_points(right):
    result = graded(right, right.question)
    assert (result.points, result.total) == (right.points, right.total), result.text()
    assert result.hint is None if right.hint is None else right.hint in result.hint


@pytest.mark.parametrize("slip", WRONG, ids=str)
def test_a_slip_is_told_by_its_name(slip):
    result = graded(slip, slip.question)
    assert result.hint is not None, slip.text()
    assert slip.hint in result.hint, slip.text()
    assert result.points == slip.points, result.text()
    assert "\n" not in result.hint
    assert "unexpected form" not in result.hint
    for question in slip.full:
        assert graded(slip, question).hint is None


@pytest.mark.parametrize("lesson", LESSONS[:-1])  # each version of exercise 13 is told by its name in its own file
def test_every_named_mistake_is_made_by_some_answer(lesson):
    told = hints(lesson)
    for table in tables(lesson, "WRONG_|CALLS"):
        assert len(set(table)) == len(table)
        # In exercise 11 keys and values share their sentences.
        assert [one for one in table if not any(one.replace("{}", side) in told for side in ("keys", "values"))] == []


@pytest.mark.parametrize("lesson", LESSONS[:-1])
def test_every_rare_mistake_is_made_by_some_answer(lesson):
    told = without_numbers(hints(lesson))
    rare = {sentence for table in tables(lesson, "RARE_|[A-Z]+_AXES") for sentence in table} - {
        one for one, _ in SHARED
    }
    assert [sentence for sentence in sorted(rare) if without_numbers(sentence) not in told] == []


def test_every_odd_scale_or_share_is_told_in_some_exercise():
    told = "\n".join(map(hints, LESSONS))
    assert [sentence for sentence, _ in SHARED if sentence not in told] == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_slip_stands_twice(lesson):
    texts = Counter((slip.question, slip.text()) for slip in slips(lesson))
    assert [text for text, count in texts.items() if count > 1] == []
