"""Each cause gets its own name, from what was tried; where two causes are left, none is named."""

import dataclasses
import subprocess
from pathlib import Path

import pytest
from nbformat import v4, write

from lessons_lib.verification import published, verdicts
from lessons_lib.verification.nbval_run import Cell, Run
from lessons_lib.verification.published import Edits, Published, Version

NAME = "01_small"
STORED = ["one\n", "loss 0.123\n", "three\n"]
NONE, NOT_THE_COURSES = Edits(None, frozenset()), Edits(1, frozenset())
OTHER = (Version("numpy", "2.3.5", "2.4.6"),)


class Course(Published):
    """A table that knows of these edits."""

    def __init__(self, edits: Edits | None):
        self.edits = lambda lesson, notebook: edits


@pytest.fixture
def verdict(tmp_path, monkeypatch):
    """What is found where cell 2 gives some text in each run: a function of the switches that are on."""
    path = tmp_path / f"{NAME}.ipynb"
    write(v4.new_notebook(cells=[v4.new_code_cell("x") for _ in STORED]), path)

    def find(gives, edits=NONE, versions=(), gpu=False, threads=2, pinned=True, try_pins=False) -> tuple[str, str, int]:
        count = iter(range(9))

        def run(_, variables, tell):
            now = gives(variables, next(count))
            cell = Cell(2, True) if now == STORED[1] else Cell(2, True, "differs", STORED[1], now)
            return Run((Cell(1, True), cell, Cell(3, True)), frozenset(), 1.0)

        monkeypatch.setattr(verdicts, "run", run)
        monkeypatch.setattr(published, "other_versions", lambda *_: list(versions))
        monkeypatch.setattr(published, "pins", lambda: {"numpy": "2.4.6"} if pinned else None)
        found = verdicts.verify(path, Course(edits), verdicts.here(gpu, threads, try_pins))
        (difference,) = found.differences
        assert (difference.cell, difference.stored) == (2, "loss 0.123")
        return difference.kind, difference.evidence, found.runs

    return find


def always(text: str):
    return lambda variables, number: text


def unless(name: str, text: str = "loss 0.456\n"):
    """Text that is as stored where a variable is set."""
    return lambda variables, number: STORED[1] if name in variables else text


@pytest.mark.parametrize(
    ("options", "kind", "evidence"),
    [
        # the text
        ({"edits": Edits(None, frozenset({2}))}, "text", "not what the course publishes of this cell"),
        ({"edits": Edits(3, frozenset({2})), "versions": OTHER}, "text", "its code is the course's"),
        ({"edits": Edits(2, frozenset())}, "text", "its code is not the course's; the same on one thread"),
        ({"edits": NOT_THE_COURSES}, "text", "the code of [1], above it, is not the course's"),
        ({"edits": NOT_THE_COURSES, "versions": OTHER}, "not decided", "numpy 2.3.5 (pinned: 2.4.6)"),
        # a version
        ({"versions": OTHER}, "version", "numpy 2.3.5 (pinned: 2.4.6); the cells are the course's; the same on one"),
        ({"versions": OTHER, "edits": Edits(3, frozenset({1}))}, "version", "--try-pins runs it with the pins"),
        ({"versions": OTHER, "edits": None}, "not decided", "the course has no such lesson"),
        ({"versions": OTHER, "text": "loss 0.124\n"}, "not decided", "only last digits differ: this device, or numpy"),
        # the device
        ({"text": "loss 0.124\n"}, "device", "only last digits differ, with the pinned versions"),
        ({"text": "loss 0.124\n", "pinned": False}, "not decided", "its pins did not come with this library"),
        ({"text": "loss 0.124\n", "edits": None}, "not decided", "the course has no such lesson"),
        # nothing is left but what cannot be tried
        ({}, "not decided", "lessons_lib was changed, or the device"),
    ],
)
def test_what_differs_in_every_run(verdict, options, kind, evidence):
    options = dict(options)
    found = verdict(always(options.pop("text", "loss 0.456\n")), **options)
    assert found[0] == kind
    assert evidence in found[1]


@pytest.mark.parametrize("versions", [(), OTHER])
def test_what_goes_away_without_the_gpu_or_the_threads_is_of_the_device(verdict, versions):
    kind, evidence, runs = verdict(unless("CUDA_VISIBLE_DEVICES"), versions=versions, gpu=True)
    assert (kind, runs) == ("device", 3)
    assert evidence.startswith("on the CPU it comes out as stored")
    kind, evidence, runs = verdict(unless("OMP_NUM_THREADS"), versions=versions, gpu=True)
    assert (kind, runs) == ("device", 4)
    assert evidence.startswith("on one thread of the CPU it comes out as stored; run again as before, it differs again")


@pytest.mark.parametrize("threads", [1, 2])
def test_chance_is_not_taken_for_the_device(verdict, threads):
    """It differs in the first run only, whatever is switched off."""
    once = lambda variables, number: "loss 0.456\n" if number == 0 else STORED[1]  # noqa: E731
    kind, evidence, runs = verdict(once, threads=threads)
    assert (kind, runs) == ("not decided", 1 + threads)
    assert "it changes by itself" in evidence
    kind, evidence, _ = verdict(lambda variables, number: f"loss {number + 5}\n", threads=threads, versions=OTHER)
    assert kind == "not decided"
    assert "it gives another output again, and not the stored one" in evidence


def test_the_pinned_versions_are_tried_on_request(verdict, monkeypatch):
    asked = []

    def pip(command, **_):
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(verdicts.subprocess, "run", pip)
    kind, evidence, runs = verdict(unless("PYTHONPATH"), versions=OTHER, try_pins=True)
    assert (kind, runs) == ("version", 3)
    assert evidence == "with the pinned versions it comes out as stored; here: numpy 2.3.5 (pinned: 2.4.6)"
    assert asked[0][-1] == "numpy==2.4.6"
    kind, evidence, _ = verdict(always("loss 0.124\n"), versions=OTHER, try_pins=True)
    assert kind == "device"
    kind, evidence, _ = verdict(always("loss 0.456\n"), versions=OTHER, try_pins=True)
    assert kind == "not decided"
    assert "numpy" not in evidence
    failed = subprocess.CompletedProcess("pip", 1, "", "ERROR: no such version\nmore")
    monkeypatch.setattr(verdicts.subprocess, "run", lambda *_, **__: failed)
    kind, evidence, _ = verdict(always("loss 0.456\n"), versions=OTHER, try_pins=True)
    assert kind == "version"
    assert evidence.endswith("not tried with the pins: pip cannot install them: ERROR: no such version")


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        ("ModuleNotFoundError: No module named 'sklearn.manifold'", "pip install scikit-learn"),
        ("ModuleNotFoundError: No module named 'lessons_lib.studies'", "install the library of its version"),
        ("ImportError: cannot import name 'x' from 'lessons_lib.evidence' (/a/b.py)", "install the library of its"),
        ("OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", "needs more memory"),
        ("the kernel died", "the process that runs the cells has died"),
        ("AssertionError: 0.3", "the cell fails here"),
    ],
)
def test_an_error_names_its_fix(tmp_path, monkeypatch, error, fix):
    path = tmp_path / f"{NAME}.ipynb"
    write(v4.new_notebook(), path)
    cells = (Cell(1, False), Cell(2, True, "fails", now=error), Cell(3, True, "differs", "a", "b"))
    monkeypatch.setattr(verdicts, "run", lambda *_: Run(cells, frozenset(), 1.0))
    found = verdicts.verify(path, Course(None), verdicts.here(True, 2, False))
    (difference,) = found.differences
    assert (difference.cell, difference.kind, difference.now) == (2, "error", error)
    assert fix in difference.evidence
    assert (found.after_error, found.not_compared, found.runs, found.as_stored) == (1, 1, 1, False)


def test_a_notebook_that_stores_nothing_is_not_verified():
    nothing = verdicts.Verified(NAME, 3, 3, (), 0, (), 1.0, 1)
    assert not nothing.as_stored
    assert dataclasses.replace(nothing, not_compared=2).as_stored
    assert dataclasses.replace(nothing, cells=0, not_compared=0).as_stored is False


def test_the_pins_are_those_of_the_repository():
    root = Path(published.__file__).parents[2]
    assert f"torch=={published.pins()['torch']}" in (root / "requirements.txt").read_text("utf8").splitlines()
