"""What a class changes: points, questions left out; read from TOML, counted in whole points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.errors import UserError
from lessons_lib.grading import edition
from lessons_lib.grading.drive.run import LESSONS, questions
from lessons_lib.grading.judge.verdict import declared, steps
from lessons_lib.grading.notebook import Check, grade
from lessons_lib.grading.parts import known
from lessons_lib.grading.reference import solutions
from lessons_lib.handout.students import points_toml

LESSON = "03_multi_head_attention"


@pytest.fixture
def use():
    yield edition.use
    edition.use(None)


@given(total=st.integers(0, 50), weights=st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any))
def test_points_are_shared_out_whole_and_in_proportion(total, weights):
    shared = edition.shared_out(total, weights)
    assert sum(shared) == total
    for given_, weight in zip(shared, weights, strict=True):
        assert abs(given_ - total * weight / sum(weights)) < 1


@pytest.mark.parametrize("lesson", [lesson[-2:] for lesson in LESSONS])
def test_without_an_edition_the_points_are_the_courses(lesson):
    assert {q: steps(lesson, q) for q in questions(lesson)} == {q: declared(lesson, q) for q in questions(lesson)}
    assert sum(step.points for q in edition.asked(lesson) for step in steps(lesson, q)) == 10


def test_a_question_is_worth_what_the_class_says_or_is_not_asked(use):
    use(edition.Edition(points={3: {"q1": 7, "q3": 0}}))
    right: dict = {"__name__": "my_answers"}
    for name in ("split_heads", "merge_heads", "MultiHeadAttention"):
        exec(solutions()[name], right)
    assert {q: grade(LESSON, q, right).points for q in edition.asked(LESSON)} == {"q1": 7, "q2": 4}
    check = Check()
    check.open(LESSON)
    with pytest.raises(ValueError, match=r"'q3' is none of 03_multi_head_attention; use q1, q2"):
        check("q3")
    assert check(namespace=right).total == 11


def test_the_part_of_a_question_left_out_is_the_courses_own(use, capsys):
    check = Check()
    check.open("05_encoder_decoder")
    with pytest.raises(ValueError, match="is what this exercise asks for"):
        check.part("EncoderLayer")
    use(edition.Edition(points={5: {"q1": 0}}))
    assert check.part("EncoderLayer").__name__ == "EncoderLayer"
    assert capsys.readouterr().out == "the course's: EncoderLayer\n"


def test_an_edition_is_written_and_read_again(tmp_path):
    one = edition.Edition('Le "Transformer"', "https://git.a-school.example/x/y", "spring", (3, 1), {3: {"q1": 5}})
    path = tmp_path / "class.toml"
    path.write_text(points_toml(one), "utf8")
    assert edition.read(path) == one
    path.write_text(points_toml(edition.Edition()), "utf8")
    assert edition.read(path) == edition.Edition()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("points = 3", r"points is no table; write \[points\], and below it 3.q1 = 5"),
        ("[points]\n14.q1 = 3", r"\[points\] has no exercise '14'; they are 1, 2"),
        ("[points]\n3.q4 = 3", "exercise 3 has no question 'q4'; it has q1, q2, q3"),
        ("[points]\n3 = 3", "3 = 3 names no question; write 3.q1 = 5"),
        ("[points]\n3.q1 = -1", "3.q1 = -1 is no number of points; write a whole one from 0"),
        ("[points]\n3.q1 = 2.5", "3.q1 = 2.5 is no number of points"),
        ("[points]\n3.q1 = true", "3.q1 = True is no number of points"),
        ("[points]\n3.q1 = 0\n3.q2 = 0\n3.q3 = 0", "every question of exercise 3 is left out; leave it out of `less"),
        ("lesson = 3", "'lesson' is not known there; use name, address, branch, lessons, points"),
        ("lessons = 3", 'lessons = 3 is no text; write "1-8"'),
        ('lessons = "1-"', "'1-' is no list of lessons"),
        ('lessons = ""', "'' is no list of lessons; write 1-8 or 1,3,5"),
        ('lessons = "0-3"', "there is no exercise 0; they are 1 to 13"),
        ('lessons = "3,1-4"', "lesson 3 is there twice; name it once"),
        ('lessons = "4-1"', "'4-1' is no list of lessons"),
        ('address = "github.com/a/b"', "is no repository; write it as https://github.com/a-university/transformers"),
        ('address = "https://github.com/a"', "is no repository"),
        ("name = ''", "name = '' is no name; write one line of text"),
        ('branch = "a b"', "branch = 'a b' is no branch"),
        ("name = ", "is no TOML"),
    ],
)
def test_what_it_cannot_mean_is_said_in_one_line(tmp_path, said, told):
    path = tmp_path / "class.toml"
    path.write_text(said, "utf8")
    with pytest.raises(UserError, match=told) as error:
        edition.read(path)
    assert str(error.value).startswith(f"{path}")
    assert "\n" not in str(error.value)


def test_every_part_is_known_whatever_is_left_out(use):
    before = dict(known())
    use(edition.Edition(points={5: {"q1": 0}}))
    assert known() == before
