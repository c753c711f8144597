"""Files for Canvas and Moodle, read as these read them."""

import csv
import io
import re

import pytest
from a_class import FORMULAS, a_class, exercise, learner

from lessons_lib.grading.marks.learning_platforms import canvas, left_out_table, moodle
from lessons_lib.grading.marks.questions import title


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def people(*who: tuple[str, str]):
    return [learner(f"l{i}", name=f"L {i}", email=email, number=number) for i, (email, number) in enumerate(who)]


def test_canvas_has_its_columns_its_second_row_and_a_row_a_learner():
    text, left_out = canvas(a_class())
    header, possible, *learners = rows(text)
    first = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert header == [*first, "Exercise 1: build attention", "Exercise 2: build queries, keys and values"]
    assert possible == ["Points Possible", "", "", "", "", "6", "6"]
    assert learners == [
        ["Ana García", "", "4001", "ana@uni.example", "", "6", "6"],
        ["Ben", "", "4002", "ben@uni.example", "", "4", "2"],
        ["cem", "", "", "cem@uni.example", "", "1", ""],
    ]
    assert [(one.file, one.learner.key) for one in left_out] == [("canvas.csv", "dot")]
    assert "no number: give a roster with it; no email" in left_out[0].why
    assert not text.startswith("\ufeff")


def test_canvas_takes_no_column_for_one_that_it_has():
    """It reads `… (12)` as assignment 12, and leaves out what is named like a column of its own."""
    for lesson in ("03_multi_head_attention", "13_evaluating_translation", "12_translation"):
        assert not re.search(r"\s\(\d+\)$", title(lesson))
        assert not re.search("Current |Final |Override ", title(lesson))


def test_no_learner_is_the_row_of_points_to_canvas():
    ben = learner("ben", name="Points Possible", number="4002")
    assert [row[0].count("Points Possible") for row in rows(canvas([ben])[0])] == [0, 1, 0]


@pytest.mark.parametrize("number", ["12,345", "1.2.3", "1.5", "12.5%"])
def test_a_number_that_canvas_rewrites_is_not_used(number):
    text, left_out = canvas(people(("", number), ("b@x", number + "1" if number[-1] != "%" else "7,7")))
    assert len(rows(text)) == 3
    assert rows(text)[2][2:4] == ["", "b@x"]
    assert [one.learner.key for one in left_out] == ["l0"]
    assert number in left_out[0].why


def test_moodle_has_an_identifier_and_a_dash_for_no_mark():
    text, left_out = moodle(a_class())
    assert rows(text) == [
        ["Email address", "Exercise 1: build attention", "Exercise 2: build queries, keys and values"],
        ["ana@uni.example", "6", "6"],
        ["ben@uni.example", "4", "2"],
        ["cem@uni.example", "1", "-"],
    ]
    assert [(one.file, one.learner.key, one.why) for one in left_out] == [
        ("moodle.csv", "dot", "no email: give a roster with it")
    ]


def test_moodle_by_number_if_asked_or_if_more_have_it():
    text, left_out = moodle(a_class(), "number")
    assert [row[0] for row in rows(text)] == ["ID number", "4001", "4002"]
    assert [one.learner.key for one in left_out] == ["cem", "dot"]
    assert rows(moodle(people(("", "1"), ("a@x", "2")))[0])[0][0] == "ID number"


@pytest.mark.parametrize("make", [canvas, moodle])
@pytest.mark.parametrize("email", ["", " ", "0", *FORMULAS])
def test_whoever_cannot_be_told_is_said_and_in_no_row(make, email):
    """A row of Moodle's without an identifier would go to the learner of the row before."""
    text, left_out = make(people(("a@x", ""), (email, ""), ("c@x", "")))
    assert [one.learner.key for one in left_out] == ["l1"]
    assert len(left_out[0].why.splitlines()) == 1
    width = len(rows(text)[0])
    assert all(len(row) == width for row in rows(text))
    assert sum("@x" in cell for row in rows(text) for cell in row) == 2


@pytest.mark.parametrize("make", [canvas, moodle])
def test_two_learners_with_one_identifier_are_both_left_out(make):
    text, left_out = make(people(("a@x", ""), ("b@x", ""), ("A@x ", "")))
    assert [one.learner.key for one in left_out] == ["l0", "l2"]
    assert "that of two learners" in left_out[0].why
    assert "b@x" in text
    assert "a@x" not in text.lower()


def test_every_learner_is_in_a_row_or_left_out():
    class_ = a_class()
    for make, extra in ((canvas, 2), (moodle, 1)):
        text, left_out = make(class_)
        assert len(rows(text)) - extra + len(left_out) == len(class_)


def test_the_table_of_who_is_left_out():
    found = rows(left_out_table([*canvas(a_class())[1], *moodle(a_class())[1]]))
    assert found[0] == ["file", "key", "name", "why"]
    assert [row[:2] for row in found[1:]] == [["canvas.csv", "dot"], ["moodle.csv", "dot"]]


def test_a_missing_question_is_no_missing_exercise():
    one = learner("ana", exercise("01_self_attention", 2, None), email="a@x")
    assert rows(moodle([one])[0])[1] == ["a@x", "2"]
