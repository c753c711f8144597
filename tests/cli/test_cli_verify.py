"""`lessons verify` as an instructor sees it: real runs of a small lesson, and every kind of wrong input."""

import importlib.util
import json
import shutil
import time

import pytest
import torch
from nbformat import v4, write

from lessons_lib.cli import main
from lessons_lib.verification import published

EDITED, THREADS, CHANCE, ERROR = 2, 3, 4, 6
CELLS = [  # source, what it stores, tags
    ("print('one')", "one\n", []),
    ("print('two')", "two\n", []),
    ("import os\n\nprint(os.environ.get('OMP_NUM_THREADS'))", "1\n", []),
    ("print(os.urandom(8).hex())", "0123456789abcdef\n", []),
    ("print(os.getpid())", "12\n", ["nbval-ignore-output"]),
    ("import no_such_package", "", []),
    ("print(no_such_package.x)", "1\n", []),
]


def lesson(cells: list):
    notebook = v4.new_notebook()
    for count, (source, text, tags) in enumerate(cells, 1):
        outputs = [v4.new_output("stream", name="stdout", text=text)] if text else []
        cell = v4.new_code_cell(source, outputs=outputs, execution_count=count, metadata={"tags": tags})
        notebook.cells.append(cell)
    return notebook


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A course of two lessons, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    rows = {}
    for name, cells in (("01_small", CELLS), ("03_right", CELLS[:1])):
        write(lesson(cells), tmp_path / f"{name}.ipynb")
        digests = published.digests(lesson(cells))
        rows[name] = {"seconds": 90 if name == "01_small" else None, "cells": " ".join(map(":".join, digests))}
    table = tmp_path / "published.json"
    table.write_text(json.dumps({"machine": "a machine", "lessons": rows}), "utf8")
    monkeypatch.setattr(published, "TABLE", table)
    return tmp_path


def test_each_difference_of_a_lesson_has_its_cause(folder, capsys):
    cells = list(CELLS)
    cells[EDITED - 1] = ("print('two')", "too\n", [])
    write(lesson(cells), folder / "01_small.ipynb")
    assert main(["verify", "--json"]) == 1
    printed = capsys.readouterr()
    assert "2 lessons: about 1.5 minutes (a machine), and 1 that nobody has measured" in printed.err
    small, right = json.loads(printed.out)["lessons"]
    found = {one["cell"]: one for one in small["differences"]}
    assert {n: one["kind"] for n, one in found.items()} == {
        EDITED: "text",
        THREADS: "device",
        CHANCE: "not decided",
        ERROR: "error",
    }
    assert (found[EDITED]["stored"], found[EDITED]["now"]) == ("too", "two")
    assert found[THREADS]["evidence"].startswith("on one thread of the CPU it comes out as stored")
    assert "another output" in found[CHANCE]["evidence"]
    assert found[ERROR]["evidence"] == "it is not installed: pip install no_such_package"
    assert found[ERROR]["now"] == "ModuleNotFoundError: No module named 'no_such_package'"
    assert (small["cells"], small["not_compared"], small["after_error"], small["runs"]) == (7, 1, 1, 3)
    assert (right["differences"], right["runs"]) == ([], 1)


def test_what_people_read(folder, capsys):
    for path, code in ((folder / "03_right.ipynb", 0), (folder, 0)):
        assert main(["verify", str(path), *(["--lessons", "3"] if path == folder else [])]) == code
        printed = capsys.readouterr()
        assert printed.out.startswith("03_right: as stored; 1 of 1 cell compared; 0.")
        assert "1 of 1 lesson as stored, in 0." in printed.out
        assert f"torch {torch.__version__}; " in printed.err
    write(lesson([("print(1)", "2\n", [])]), folder / "09_mine.ipynb")
    assert main(["verify", "09_mine.ipynb"]) == 1
    printed = capsys.readouterr()
    assert "1 lesson: nobody has measured how long; one that differs runs up to" in printed.err
    lines = printed.out.splitlines()
    assert lines[0].startswith("09_mine: 1 difference; 1 of 1 cell compared")
    assert lines[1:4] == [
        "  [1] not decided: the course has no such lesson to compare with; the same on one thread of the CPU",
        "      stored: 2",
        "      now:    1",
    ]
    assert lines[4].startswith("0 of 1 lesson as stored")
    assert lines[4].endswith("1 not decided")
    cleared = v4.new_notebook(cells=[v4.new_code_cell("print(1)")])
    write(cleared, folder / "09_mine.ipynb")
    assert main(["verify", "09_mine.ipynb"]) == 1
    assert "not verified, it stores nothing; 0 of 1 cell compared" in capsys.readouterr().out


def test_a_kernel_that_dies_is_noticed_at_once(folder, capsys):
    """As where the memory is too small. nbval alone waits for its answer, half an hour."""
    write(lesson([("import os\nos._exit(1)", "", []), ("print(1)", "1\n", [])]), folder / "09_mine.ipynb")
    begin = time.monotonic()
    assert main(["verify", "09_mine.ipynb", "--json"]) == 1
    assert time.monotonic() - begin < 60
    (found,) = json.loads(capsys.readouterr().out)["lessons"]
    (difference,) = found["differences"]
    assert (difference["cell"], difference["kind"]) == (1, "error")
    assert difference["evidence"].startswith("the process that runs the cells has died")
    assert found["after_error"] == 1


def test_notebooks_are_found_in_a_folder_of_that_name(folder, capsys):
    (folder / "notebooks").mkdir()
    shutil.move(folder / "01_small.ipynb", folder / "notebooks")
    shutil.move(folder / "03_right.ipynb", folder / "notebooks")
    assert main(["verify", "--lessons", "3"]) == 0
    assert capsys.readouterr().out.startswith("03_right: as stored")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lessons", "2"], "there is no lesson 2; they are 1, 3"),
        (["--lessons", "one"], "is no list of lessons; write 1-8 or 1,3,5"),
        (["nowhere"], "no lesson (such as 01_self_attention.ipynb) is in nowhere; give the folder"),
        (["nowhere.ipynb"], "nowhere.ipynb does not exist"),
        (["01_small.ipynb", "--lessons", "1"], "but 01_small.ipynb is one notebook; leave one out"),
        (["broken.ipynb"], "broken.ipynb is no notebook that can be read"),
    ],
)
def test_wrong_input_is_one_line(folder, capsys, arguments, message):
    (folder / "broken.ipynb").write_text("{", "utf8")
    assert main(["verify", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert message in line


def test_without_nbval_the_line_says_how_to_get_it(folder, capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "nbval" else find(name, *more))
    assert main(["verify"]) == 2
    assert "is not installed; pip install 'nbval>=0.11'" in capsys.readouterr().err
