"""The gradebook, and tables that a spreadsheet may open."""

import csv
import io

import pytest
from a_class import FORMULAS, a_class, exercise, learner

from lessons_lib.errors import UserError
from lessons_lib.grading.marks.gradebook import BOM, gradebook
from lessons_lib.grading.marks.questions import number, title
from lessons_lib.grading.marks.tables import defused, table


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix(BOM), newline="")))


def test_a_row_a_learner_and_a_column_a_question():
    header, *learners = rows(gradebook(a_class()))
    assert header[:5] == ["key", "name", "email", "number", "1 q1: title of q1 (3)"]
    assert header[5:] == [
        "1 q2: title of q2 (3)",
        "exercise 1 (6)",
        "2 q1: title of q1 (3)",
        "2 q2: title of q2 (3)",
        "exercise 2 (6)",
        "total (12)",
        "not handed in (4)",
    ]
    assert learners[0] == ["ana", "Ana García", "ana@uni.example", "4001", "3", "3", "6", "3", "3", "6", "12", "0"]
    assert learners[1][4:] == ["3", "1", "4", "2", "0", "2", "6", "0"]


def test_what_was_not_handed_in_is_empty_and_no_zero():
    *_, some, none = rows(gradebook(a_class()))
    assert some[4:] == ["1", "", "1", "", "", "", "1", "3"]
    assert none[4:] == ["", "", "", "", "", "", "0", "4"]


def test_an_answer_that_no_cell_has_is_missing_in_a_file_that_is_there():
    one = learner("ana", exercise("01_self_attention", 0, 3, hint="not found: no cell defines `f`"))
    assert rows(gradebook([one]))[1][4:] == ["", "3", "3", "3", "1"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(formula):
    text = gradebook([learner(formula, name=formula, email=formula, number=formula)])
    for cell in rows(text)[1][:4]:
        assert cell == "'" + formula
    assert defused(formula) == "'" + formula


def test_numbers_and_plain_texts_stay():
    assert table([["a=b", "O'Brien", "x+y", -3, "-"]]) == "a=b,O'Brien,x+y,-3,-\r\n"


def test_quotes_commas_and_line_ends_stay_in_their_cell():
    name = 'A "B", C\nD;E'
    assert rows(gradebook([learner("ana", name=name)]))[1][1] == name


def test_excel_is_told_that_it_is_utf_8():
    assert gradebook(a_class()).encode().startswith(b"\xef\xbb\xbfkey")


def test_classes_that_make_no_table_are_refused():
    with pytest.raises(UserError, match="0 learners"):
        gradebook([])
    with pytest.raises(UserError, match="'ben' and 'ana' were graded by different questions"):
        gradebook([learner("ana"), learner("ben", exercise("01_self_attention", 3, 1))])
    with pytest.raises(UserError, match="different questions or points"):
        gradebook([learner("a", exercise("01_x", 3)), learner("b", exercise("01_x", 3, total=4))])


def test_names_of_exercises():
    assert (title("03_multi_head_attention"), number("13_x")) == ("Exercise 3: build multi-head attention", "13")
    assert (title("our_own"), number("our_own")) == ("our own", "our_own")
