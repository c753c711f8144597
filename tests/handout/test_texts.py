"""Cutting texts of the course: each source and lesson, whatever a class leaves out."""

import re

import jupytext
import pytest

from lessons_lib.errors import UserError
from lessons_lib.grading.drive.run import questions
from lessons_lib.handout import texts
from tools.lesson_files import ROOT, lessons
from tools.make_exercises import sources

EVERY = [(path, question) for path in sources() for question in questions(path.stem)]
OLD = ("https://github.com/some-authors/course", "main")


def asked(path):
    return {question: tuple(one.signatures) for question, one in questions(path.stem).items()}


@pytest.mark.parametrize(("path", "question"), EVERY, ids=lambda each: getattr(each, "stem", each))
def test_a_question_left_out_leaves_an_exercise_that_can_be_run(path, question):
    text = path.read_text("utf8")
    cut = texts.without_questions(text, asked(path), {question})
    points = dict.fromkeys(set(asked(path)) - {question}, 5)
    cut = texts.without_their_place(texts.without_solutions(texts.with_points(cut, points)))
    assert "the solution is" not in cut
    kinds = [texts.kind(cell) for cell in texts.cells(cut)]
    assert not any(second == question for _, second in kinds)
    assert "solution" not in {first for first, _ in kinds}
    assert "(5 points)" in cut
    assert f"{5 * len(points)} points" in cut
    others = {name for other, names in asked(path).items() if other != question for name in names}
    answers = {second for first, second in kinds if first == "answer"}
    assert others <= answers
    code = [cell.source for cell in jupytext.reads(cut, "py:percent").cells if cell.cell_type == "code"]
    compile("\n".join(code), path.name, "exec")
    for name in answers - others:  # needed by what stays
        assert f'{name} = check.part("{name}")' in cut
        assert len(re.findall(rf"\b{name}\b", "\n".join(code))) > 2


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_a_lesson_follows_what_is_left_out(path):
    lesson = (ROOT / "notebooks" / path.name).read_text("utf8")
    whole = texts.lesson_for(lesson, dict.fromkeys(asked(path), 4), (), solutions=False)
    assert "# %% solution" not in whole
    assert "Three questions, 12 points" in whole
    assert re.findall(r"<!-- hints q\d -->", whole) == re.findall(r"<!-- hints q\d -->", lesson)
    for question in asked(path):
        left = texts.lesson_for(lesson, {"a": 4, "b": 1}, {question}, solutions=True)
        assert f"hints {question} -->" not in left
        assert "Two questions, 5 points" in left
        named = re.findall(r"^# \*\*Questions? ([^:]*):\*\*", left, re.MULTILINE)
        assert not any(question[1] in one for one in named)
        assert len("".join(named).replace(" and ", "")) == 2
        kept = {name for other, names in asked(path).items() if other != question for name in names}
        assert all(f"# %% solution {name}" in left for name in kept)


def test_nothing_changes_where_nothing_is_to_be_changed():
    for path in sources():
        text = path.read_text("utf8")
        points = {q: int(n) for q, n in re.findall(r"^## (q\d): .* \((\d+) points?\)$", text, re.MULTILINE)}
        assert texts.with_points(text, points) == text
        lesson = (ROOT / "notebooks" / path.name).read_text("utf8")
        assert texts.lesson_for(lesson, points, (), solutions=True) == lesson


def test_a_text_without_its_points_is_told():
    with pytest.raises(UserError, match="the heading of q1 with its points stands 0 times"):
        texts.with_points("*20 minutes, 3 points.", {"q1": 3})


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("see [lesson 3](../notebooks/03_multi_head_attention).", "see lesson 3."),
        ("see [lesson 3](03_multi_head_attention.ipynb#claim).", "see lesson 3."),
        ("see [lesson 1](../notebooks/01_self_attention).", "see [lesson 1](../notebooks/01_self_attention)."),
        ("[Colab](https://colab.example/x/blob/main/exercises/03_multi_head_attention.ipynb)", "Colab"),
        ("| 3 | [Multi](../notebooks/03_multi_head_attention) | Why? | 1 min |\nrest", "rest"),
        ('<a class="first" href="../notebooks/03_multi_head_attention.html">Go</a>\nrest', "rest"),
        ("[a page](how_to_use)", "[a page](how_to_use)"),
    ],
)
def test_links_to_what_is_not_there_become_text(text, due):
    assert texts.without_links(text, ["01_self_attention"]) == due


@pytest.mark.parametrize(
    ("text", "due"),
    [
        (
            "lessons_lib @ git+https://github.com/some-authors/course",
            "lessons_lib @ git+https://github.com/u/t@b",
        ),
        ("github.com/some-authors/course/blob/main/x", "github.com/u/t/blob/b/x"),
        ("git clone https://github.com/some-authors/course\n$ cd course", None),
        ("a course is at github.com/other/course/blob/main/x", "a course is at github.com/other/course/blob/main/x"),
    ],
)
def test_the_address_changes_and_nothing_else(text, due):
    due = due or "git clone https://github.com/u/t\n$ cd t"
    assert texts.at_address(text, OLD, ("https://github.com/u/t", "b")) == due
    assert texts.at_address(text, OLD, OLD) == text


def test_no_lesson_keeps_a_link_to_colab_where_colab_cannot_open_it():
    for path in [*lessons(), *(ROOT / "book").glob("*.md")]:
        text = texts.without_colab(path.read_text("utf8"))
        assert "colab.research" not in text
        assert "Colab," not in text.partition("### Exercise: build it")[2][:200]
