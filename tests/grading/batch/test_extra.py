"""An instructor's own checks: read or refused in one line, driven in the answer's process, counted with the rest."""

import json
import os
import re

import pytest
from test_batch import THIRD, grade, hand_in, solved

from lessons_lib.errors import UserError
from lessons_lib.grading.batch import extra
from lessons_lib.grading.reference import solutions

HEADS = re.search(r"^    QUESTION = .*?(?=\n\n?What crosses)", extra.__doc__, re.MULTILINE | re.DOTALL)[0]
HEADS = re.sub(r"^    ", "", HEADS, flags=re.MULTILINE).replace("answer(", "answer[0](")  # q1 asks for two functions
SECRET = "0.123456789"
OTHER = f"""
QUESTION = "3.q3"
TITLE = "weights that add up"
POINTS = 1
EXPECTED = 1

def make(rng):
    return {{"x": rng.normal(size=(1, 4, 6)).astype("float32")}}

def drive(answer, inputs):
    import torch
    torch.manual_seed(0)
    return {{"weights": answer(6, 2)(torch.from_numpy(inputs["x"].copy()))[1].detach().numpy()}}

def judge(inputs, results):
    secret = {SECRET}
    if abs(results["weights"].sum(-1) - EXPECTED).max() > 1e-4:
        return "a row of weights does not add up to 1"
"""


@pytest.fixture
def checks(tmp_path):
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "one_head.py").write_text(HEADS, "utf8")
    return folder


@pytest.mark.skipif(not hasattr(os, "fork"), reason="grading in processes needs fork")
def test_they_count_beside_the_courses_own(checks, tmp_path):
    class_ = tmp_path / "class"
    body = "    " + solutions()["split_heads"].partition('."""')[2].lstrip()
    only_two, leaves = (
        f"def split_heads(x, n_heads):\n    {first}\n{body}"
        for first in ("assert n_heads > 1", "if n_heads == 1: import os; os._exit(3)")
    )
    hand_in(class_, "anna", THIRD, solved(THIRD))
    hand_in(class_, "ben", THIRD, solved(THIRD, split_heads=only_two))
    hand_in(class_, "clara", THIRD, solved(THIRD, split_heads=leaves))
    hand_in(class_, "dora", THIRD, ["x = 1"])
    done = grade(class_, "--out", tmp_path / "out", "--extra-checks", checks, "--json", "--seed", 1)
    points = {name: each[THIRD] for name, each in json.loads(done.stdout).items()}
    assert points["anna"] == 12, done.stderr
    assert points["dora"] == 0
    assert points["clara"] <= 7  # its process ends: neither the course's check nor the extra one gains from it
    page = (tmp_path / "out/learners/ben.html").read_text("utf8")
    assert "holds for one head" in page
    assert points["ben"] < 10
    changed = checks / "one_head.py"
    changed.write_text(changed.read_text("utf8").replace("POINTS = 2", "POINTS = 5"), "utf8")
    again = grade(class_, "--out", tmp_path / "out", "--extra-checks", checks, "--json")
    assert json.loads(again.stdout)["anna"][THIRD] == 15  # graded anew: the check is another


def test_the_answers_process_gets_no_judge_and_no_inputs_maker():
    driver = extra.driver(OTHER)
    assert "def drive" in driver
    assert "EXPECTED = 1" in driver
    assert SECRET not in driver
    assert "rng" not in driver


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"3.q1"', '"3.q9"', "QUESTION = '3.q9' is no question"),
        ('"3.q1"', "7", "QUESTION = 7 is no question"),
        ("QUESTION =", "ASKED =", "QUESTION = None is no question"),
        ("POINTS = 2", "POINTS = 2.5", "POINTS = 2.5 is no number of points"),
        ('TITLE = "holds for one head"', "TITLE = ''", "TITLE = '' is no text"),
        ("def judge", "def jugde", "has no function judge"),
        ("def make(rng):", "def make(rng)", "cannot be run: SyntaxError"),
        ("POINTS = 2", "import nowhere_to_be_found", "cannot be run: ModuleNotFoundError"),
    ],
)
def test_what_is_no_check_is_said_in_one_line(checks, old, new, told):
    path = checks / "one_head.py"
    assert old in HEADS
    path.write_text(HEADS.replace(old, new), "utf8")
    with pytest.raises(UserError, match=told) as error:
        extra.read(checks)
    assert str(path) in str(error.value)


def test_a_check_of_a_question_that_the_class_leaves_out_is_told(checks, tmp_path, capsys):
    (tmp_path / "class.toml").write_text("[points]\n3.q1 = 0\n", "utf8")
    hand_in(tmp_path / "class", "anna", THIRD, solved(THIRD))
    done = grade(
        *(tmp_path / "class", "--out", tmp_path / "out", "--extra-checks", checks, "--class", tmp_path / "class.toml")
    )
    assert done.returncode == 2
    assert "the extra check one_head" in done.stderr
    assert "leaves out 3.q1; take it away" in done.stderr


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(UserError, match=r"holds no \.py file"):
        extra.read(tmp_path)
