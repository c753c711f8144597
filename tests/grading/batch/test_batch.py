"""`lessons grade` from the outside: a class with every kind of hand-in, stopped and started again."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from lessons_lib.errors import UserError
from lessons_lib.grading.batch import batch, box, handins
from lessons_lib.grading.batch.answers import exercises
from lessons_lib.grading.batch.batch import kept_seed, seeds_of
from lessons_lib.grading.batch.results import Exercise
from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.marks.questions import handed_in
from lessons_lib.grading.reference import solutions
from lessons_lib.grading.report import Result

ROOT = Path(__file__).parents[3]
FIRST, THIRD, SIXTH = "01_self_attention", "03_multi_head_attention", "06_layer_norm"
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="grading in processes needs fork")


def solved(lesson: str, **changed: str) -> list[str]:
    """Cells of the exercise with the course's answers; `changed` is put in the place of some."""
    names = [name for one in questions(lesson).values() for name in one.signatures]
    return [changed.get(name, solutions()[name]) for name in dict.fromkeys(names)]


def notebook(cells: list[str]) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]})


def hand_in(folder: Path, learner: str, lesson: str, cells: list[str]) -> None:
    (folder / learner).mkdir(parents=True, exist_ok=True)
    (folder / learner / f"{lesson}.ipynb").write_text(notebook(cells), "utf8")


def grade(*arguments: str | Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "lessons_lib.cli", "grade", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """All right, an answer that leaves, nothing but what was handed out, not a notebook, one mistake."""
    folder = tmp_path_factory.mktemp("class") / "submissions"
    for lesson in (FIRST, THIRD):
        hand_in(folder, "anna", lesson, solved(lesson))
    hand_in(
        folder, "ben", FIRST, solved(FIRST, previous_word_head="def previous_word_head(length):\n    raise SystemExit")
    )
    untouched = ROOT / "exercises" / f"{FIRST}.ipynb"
    (folder / "clara").mkdir()
    (folder / "clara" / untouched.name).write_bytes(untouched.read_bytes())
    both = ROOT / "exercises" / f"{THIRD}.ipynb"  # its first question asks for two functions
    (folder / "clara" / both.name).write_bytes(both.read_bytes())
    (folder / "dora").mkdir()
    (folder / "dora" / f"{FIRST}.ipynb").write_text("not a notebook")
    mistaken = solutions()["MultiHeadAttention"].replace("math.sqrt(", "(", 1)
    assert mistaken != solutions()["MultiHeadAttention"]
    hand_in(folder, "emil", THIRD, solved(THIRD, MultiHeadAttention=mistaken))
    return folder


@pytest.fixture(scope="module")
def report(folder, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    out = tmp_path_factory.mktemp("report") / "out"
    return out, grade(folder, "--out", out, "--seed", 5, "--json")


def test_every_learner_has_their_points(report):
    done = report[1]
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("isolation: ")
    points = json.loads(done.stdout)
    assert list(points) == ["anna", "ben", "clara", "dora", "emil"]
    assert points["anna"] == {FIRST: 10, THIRD: 10}
    assert points["ben"] == {FIRST: 7, THIRD: 0}
    assert points["clara"] == points["dora"] == {FIRST: 0, THIRD: 0}
    assert points["emil"][FIRST] == 0
    assert 0 < points["emil"][THIRD] < 10


def test_hints_say_what_happened(report):
    found = {}
    for path in (report[0] / ".graded").glob("*.json"):
        exercise = json.loads(path.read_text("utf8"))
        found[exercise["file"]] = {one["question"]: one["hint"] for one in exercise["results"]}
    assert found[f"anna/{FIRST}.ipynb"] == dict.fromkeys(questions(FIRST))
    assert "SystemExit" in found[f"ben/{FIRST}.ipynb"]["q3"]
    assert found[f"clara/{FIRST}.ipynb"]["q1"].startswith("not answered yet")
    assert found[f"clara/{THIRD}.ipynb"]["q1"].startswith("split_heads: not answered yet")
    assert "is no notebook" in found[f"dora/{FIRST}.ipynb"]["q1"]
    page = (report[0] / "class.html").read_text("utf8")
    noted = page.partition("<h2>To look at</h2>")[2]
    assert re.search(
        rf">dora</bdi></a>[^<]*: Dora/{FIRST}\.ipynb cannot be read: .*is no notebook", noted, re.IGNORECASE
    )
    rows = list(csv.DictReader((report[0] / "gradebook.csv").open(encoding="utf-8-sig")))
    (clara,) = (row for row in rows if row["key"] == "clara")
    assert [clara[name] for name in clara if re.match(r"\d+ q\d", name)] == [""] * 6
    assert clara["not handed in (6)"] == "6"


def test_of_two_functions_one_is_an_answer():
    both = {
        name: f"def {name}(x):\n    raise NotImplementedError('write it')" for name in ("split_heads", "merge_heads")
    }
    untouched = Result.of("q1", "title", [("a", 3)], 0, "split_heads: not answered yet: write it")
    for text, answered in (
        ("\n\n".join(both.values()), False),
        (f"{both['split_heads']}\n\ndef merge_heads(heads):\n    return heads", True),
        ("def split_heads(", True),
    ):
        exercise = Exercise(THIRD, "a.ipynb", (untouched,), answers={"q1": text})
        assert handed_in(exercise, untouched) == answered


def test_a_run_that_was_killed_goes_on_and_gives_the_same_bytes(folder, report, tmp_path):
    command = [sys.executable, "-m", "lessons_lib.cli", "grade", str(folder), "--out", str(tmp_path), "--seed", "5"]
    begun = subprocess.Popen([*command, "--json"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not list(tmp_path.glob(".graded/*.json")) and time.monotonic() < until:
        time.sleep(0.02)
    begun.send_signal(signal.SIGKILL)
    begun.wait()
    assert grade(folder, "--out", tmp_path, "--json").stdout == report[1].stdout
    names = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(report[0]) for path in report[0].rglob("*") if path.is_file())
    for name in names:
        assert (tmp_path / name).read_bytes() == (report[0] / name).read_bytes(), name


def test_a_seed_stays_with_its_report(tmp_path):
    seed = kept_seed(tmp_path, None)
    assert kept_seed(tmp_path, None) == kept_seed(tmp_path, seed) == seed
    with pytest.raises(UserError, match=f"was graded with --seed {seed}, not {seed + 1}; give another folder"):
        kept_seed(tmp_path, seed + 1)
    assert len(set(seeds_of(1) + seeds_of(2))) == 6


def test_hand_ins_are_found_in_folders_zips_and_files(folder, tmp_path):
    found, notes = handins.find(folder, exercises())
    assert list(found) == ["anna", "ben", "clara", "dora", "emil"]
    assert [note.partition(" (")[0] for note in notes] == [f"dora/{FIRST}.ipynb: cannot be read, 0 points"]
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for path in folder.rglob("*.ipynb"):
            archive.write(path, path.relative_to(folder))
        archive.writestr("__MACOSX/anna/._01_self_attention.ipynb", "")
    zipped, _ = handins.find(tmp_path / "class.zip", exercises())
    assert {key: set(theirs) for key, theirs in zipped.items()} == {key: set(theirs) for key, theirs in found.items()}
    for name in (f"anna_LATE_12345_678_{FIRST}-1.ipynb", f"anna_12345_{FIRST}.ipynb", f"anna-{SIXTH}.ipynb"):
        (tmp_path / "flat").mkdir(exist_ok=True)
        (tmp_path / "flat" / name).write_text(notebook(solved(FIRST)), "utf8")
    flat, notes = handins.find(tmp_path / "flat", exercises())
    assert {key: sorted(theirs) for key, theirs in flat.items()} == {"anna": [FIRST, SIXTH]}
    assert len(notes) == 1
    assert "is another hand-in of the same exercise" in notes[0]


def test_a_class_that_was_changed_is_told_if_it_is_graded_as_the_course(tmp_path):
    hand_in(tmp_path / "class", "Anna", FIRST, ["# Edition: Spring", *solved(FIRST)])
    hand_in(tmp_path / "class", "ben", FIRST, ["x = "])
    (tmp_path / "class/ben" / f"{FIRST}.ipynb").write_text("no notebook", "utf8")
    (tmp_path / "roster.csv").write_text("key,name\nanna,Anna A\nBen,Ben B\nclara,Clara C\n", "utf8")
    (tmp_path / "class.toml").write_text('name = "Spring"\nlessons = "1-3"\n[points]\n1.q1 = 5\n1.q2 = 0\n', "utf8")
    arguments = (tmp_path / "class", "--roster", tmp_path / "roster.csv", "--json", "--out")
    first = grade(*arguments, tmp_path / "first")
    assert "there are hand-ins of 'Spring'; give its class.toml with --class" in first.stderr
    assert json.loads(first.stdout) == {"anna": {FIRST: 10}, "Ben": {FIRST: 0}, "clara": {FIRST: 0}}
    assert f"ben/{FIRST}.ipynb: cannot be read, 0 points" in first.stderr
    second = grade(*arguments, tmp_path / "second", "--class", tmp_path / "class.toml")
    assert "give its class.toml" not in second.stderr
    assert json.loads(second.stdout)["anna"] == {FIRST: 8}  # and of lessons 2 and 3 nobody has handed in anything
    page = (tmp_path / "first/class.html").read_text("utf8")
    assert "is no notebook" not in page.partition("Commonest hints")[2].partition("</table>")[0]


def test_the_folders_of_moodle_have_the_names_of_learners(tmp_path):
    for folder in (
        "Anna Smith_123_assignsubmission_file_",
        "Ben Li_7_assignsubmission_file",
        "Ben Li_8_assignsubmission_file",
    ):
        hand_in(tmp_path, folder, FIRST, solved(FIRST))
    found, _ = handins.find(tmp_path, exercises())
    assert list(found) == ["Anna Smith", "Ben Li_7_assignsubmission_file", "Ben Li_8_assignsubmission_file"]
    assert [one.learner for theirs in found.values() for one in theirs.values()] == list(found)


def test_everything_is_one_learners_if_that_is_said_and_a_lesson_is_no_hand_in(tmp_path):
    hand_in(tmp_path, "exercises", FIRST, [f'check.open("{FIRST}")', *solved(FIRST)])
    hand_in(tmp_path, "notebooks", FIRST, ["x = 1"])
    hand_in(tmp_path, "more", THIRD, solved(THIRD))
    found, notes = handins.find(tmp_path, exercises(), learner="anna")
    assert {key: {lesson: one.file for lesson, one in theirs.items()} for key, theirs in found.items()} == {
        "anna": {FIRST: f"exercises/{FIRST}.ipynb", THIRD: f"more/{THIRD}.ipynb"}
    }
    assert notes == [
        f"notebooks/{FIRST}.ipynb: passed over, exercises/{FIRST}.ipynb is another hand-in of the same exercise"
    ]


def test_an_exercise_without_its_name_is_known_by_its_own_words(tmp_path):
    hand_in(tmp_path, "anna", "Untitled3", [f'check.open("{THIRD}")', *solved(THIRD)])
    hand_in(tmp_path, "anna", "notes", ["x = 1"])
    found, notes = handins.find(tmp_path, exercises())
    assert list(found["anna"]) == [THIRD]
    assert notes == ["anna/notes.ipynb: passed over, its exercise is not known; give it the exercise's name"]


def test_the_roster_names_learners_and_those_who_handed_in_nothing(tmp_path, folder):
    (tmp_path / "class.csv").write_text("Folder,Name,Email\nanna,Anna A.,a@example.org\nzoe,Zoe Z.,\n", "utf-8-sig")
    roster = handins.read_roster(tmp_path / "class.csv")
    assert roster["anna"] == {"name": "Anna A.", "email": "a@example.org", "number": ""}
    assert handins.missing({"anna": {}}, roster) == ["zoe"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\nAnna\n", "has no column key"),
        ("", "has no column key"),
        ("key\nanna\nanna\n", "line 3: 'anna' stands there twice"),
    ],
)
def test_a_roster_that_is_none_is_refused(tmp_path, text, message):
    (tmp_path / "class.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        handins.read_roster(tmp_path / "class.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "--out", "r"], "nowhere is not there; give a folder, a zip or a notebook"),
        ([".", "--out", "r", "--lessons", "20"], "there is no exercise 20; they are 1 to 13"),
        ([".", "--out", "r", "--lessons", "a-b"], "is no list of lessons; write 1-8 or 1,3,5"),
    ],
)
def test_a_command_that_makes_no_sense_says_so(arguments, message, tmp_path, monkeypatch, capsys):
    from lessons_lib.cli import main

    monkeypatch.chdir(tmp_path)
    assert main(["grade", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_a_question_at_which_the_machine_failed_is_no_zero_and_is_graded_again(folder, tmp_path, monkeypatch):
    found = {"anna": handins.find(folder, [FIRST])[0]["anna"]}
    failed = batch.not_handed_in(FIRST, f"{batch.NOT_GRADED}: no process could be had", "anna/x.ipynb")
    calls = []

    def graded(hand_ins, waiting, *rest):
        calls.append(list(waiting))
        yield from ((*which, failed) for which in waiting)

    monkeypatch.setattr(batch, "_graded", graded)
    for _ in range(2):
        (learner,) = batch.run(found, [FIRST], tmp_path, box.LEVELS["limits"], 0)
    assert calls == [[("anna", FIRST)]] * 2
    assert not any(handed_in(learner.exercises[0], one) for one in learner.exercises[0].results)


def test_a_library_below_tmp_is_shut_in_like_any_other(tmp_path):
    """The folder that the box covers may not be the one in which Python or the library lies."""
    shutil.copytree(
        ROOT / "lessons_lib", tmp_path / "lessons_lib", ignore=shutil.ignore_patterns("*.pyc", "*.safetensors")
    )
    code = "import lessons_lib.grading.batch.box as box; print(box.__file__, box.level().name)"
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True)
    where, level = printed.stdout.decode().split()
    assert where.startswith(str(tmp_path))
    assert level == box.level().name
