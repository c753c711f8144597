"""What the page for who teaches writes out can be used as it stands."""

import re

import numpy as np
import pytest

from lessons_lib.grading import edition
from lessons_lib.grading.batch import extra
from lessons_lib.grading.reference import cut, solutions
from tools.lesson_files import ROOT
from tools.make_exercises import exercise

PAGE = (ROOT / "book/teaching.md").read_text("utf8")


def block(language: str, beginning: str) -> str:
    """The block of code that begins so."""
    found = re.findall(rf"^```{language}\n({re.escape(beginning)}.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, beginning
    return found[0]


def test_the_class_file_is_read(tmp_path):
    (tmp_path / "class.toml").write_text(block("toml", "name ="), "utf8")
    read = edition.read(tmp_path / "class.toml")
    assert read.lessons == (1, 2, 3, 4, 6, 5, 8)
    assert read.points == {3: {"q1": 5}, 2: {"q3": 0}}


def test_the_extra_check_accepts_a_right_answer_and_refuses_a_wrong_one(tmp_path):
    (tmp_path / "one.py").write_text(block("python", "QUESTION ="), "utf8")
    (check,) = extra.read(tmp_path)
    space: dict = {}
    for name in ("split_heads", "merge_heads", "MultiHeadAttention"):
        exec(solutions()[name], space)
    exec(check.driver, space)
    inputs = check.make(np.random.default_rng(0))
    right = space["drive"](space["MultiHeadAttention"], inputs)
    assert check.judge(inputs, right) is None
    assert "(2, 5, 8) is due" in check.judge(inputs, {"out": right["out"][:, :1]})


def test_the_template_of_a_question_makes_an_exercise(tmp_path):
    source = ROOT / "solutions/03_multi_head_attention.py"
    text, end = source.read_text("utf8"), '# %% text [markdown]\nr"""\n## All of it'
    assert text.count(end) == 1
    template = block("python", "# %% question q4") + 'r"""\n<!-- hints q4 -->\n<!-- /hints q4 -->\n"""\n\n'
    path = tmp_path / source.name
    path.write_text(text.replace(end, template + end), "utf8")
    made = exercise(path)
    assert "the mean of the heads (2 points)" in made
    assert "weights.mean(dim=1)" not in made
    assert ("solution", "mean_weights") in [(kind, name) for kind, name, _ in cut(path.read_text("utf8"))]


@pytest.mark.parametrize("command", re.findall(r"^\$ make (\w+)", PAGE, re.MULTILINE))
def test_each_task_it_names_is_one_of_make(command):
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE)
