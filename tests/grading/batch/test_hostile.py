"""Whatever an answer does: a result in time, no point gained, the next one graded as ever, no process left."""

import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import BACK, KINDS, LEFT, NAME, RIGHT, Kind

from lessons_lib.grading.batch import box
from lessons_lib.grading.batch.answers import Notebook
from lessons_lib.grading.batch.lane import Lane
from lessons_lib.grading.batch.server import Server
from lessons_lib.grading.lesson_01.drive import QUESTIONS
from lessons_lib.grading.report import Result

LESSON, ROOT = "01_self_attention", Path(__file__).parents[3]
SEED = 987_654_321
ORDER = list(box.LEVELS)  # from the strongest
HERE = box.level().name
TAKEN = {"slot": 0}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork")


class Class:
    """A server with its lanes, beside what an answer must not reach."""

    def __init__(self, level: str, folder: Path):
        self.level, self.folder, self.mark = level, folder, f"/lessons-{os.getpid()}-{level}"
        (folder / "theirs.ipynb").write_text("another's answers")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.nameless = socket.socket(socket.AF_UNIX)
        if sys.platform == "linux":
            self.nameless.bind(f"\0lessons-hostile-{self.port}")
            self.nameless.listen()
        before = dict(os.environ)
        os.environ |= {"CLASS_TOKEN": "secret", "LD_LIBRARY_PATH": f"{before.get('LD_LIBRARY_PATH', '')}:{self.mark}"}
        try:
            self.server = Server(box.LEVELS[level])
        finally:
            os.environ.clear()
            os.environ |= before
        self.patient = Lane(self.server, 3)
        self.quick = Lane(self.server, 3, patience=0.1, beside=1.0)

    def grade(self, kind: Kind) -> Result:
        words = {"ROOT": str(ROOT), "FOLDER": str(self.folder), "PORT": str(self.port), "NUMBER": "98765 4321"}
        text = kind.text
        for word, value in words.items():
            text = text.replace(word, value)
        lane = self.quick if kind.quick else self.patient
        return lane.grade(LESSON, "q1", Notebook([text]), (SEED,))

    def processes(self) -> list[int]:
        """Those of the server's boxes that are there, by what they were started with."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if self.mark.encode() in path.read_bytes() and int(path.parent.name) != self.server.pid:
                    found.append(int(path.parent.name))
            except OSError:
                continue
        return found

    def close(self) -> None:
        self.server.close()
        self.listener.close()
        self.nameless.close()


def _class(level: str, folder: Path) -> Iterator[Class]:
    if ORDER.index(level) < ORDER.index(HERE):
        pytest.skip(f"this machine gives only the level {HERE!r}")
    one = Class(level, folder)
    yield one
    one.close()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    yield from _class("namespaces", tmp_path_factory.mktemp("hand-ins"))


@pytest.fixture(scope="module")
def other_user(tmp_path_factory):
    yield from _class("user", tmp_path_factory.mktemp("hand-ins"))


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    yield from _class("limits", tmp_path_factory.mktemp("hand-ins"))


def hold(one: Class, kind: Kind) -> None:
    begin = time.monotonic()
    result = one.grade(kind)
    assert time.monotonic() - begin < 60
    assert result.points == 0, result.text()
    assert re.search(kind.hint, result.hint), result.hint
    assert "\n" not in result.hint
    until = time.monotonic() + 3
    while (left := one.processes()) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left
    assert one.patient.grade(LESSON, "q1", Notebook([RIGHT]), (0,)).points == 3


def test_one_answer_finds_nothing_of_another(alone):
    hold(alone, KINDS[LEFT])
    hold(alone, KINDS[LEFT])


def test_there_are_forty_kinds():
    assert len(KINDS) >= 40
    assert all(NAME in kind.text for kind in KINDS.values())


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_gained_alone(alone, name):
    hold(alone, KINDS[name])


# What needs no name space; and of what needs none either, a few of a kind.
FEW = ["a loop that swallows every error", "the end without a word", "memory", "leaves a process", "a large file"]
FEW += [name for name, kind in KINDS.items() if kind.needs == "limits" and kind.hint == BACK]


@pytest.mark.parametrize("name", FEW)
def test_nothing_is_gained_as_another_user(other_user, name):
    hold(other_user, KINDS[name])


@pytest.mark.parametrize("name", FEW)
def test_nothing_is_gained_with_limits_alone(limited, name):
    hold(limited, KINDS[name])


def test_an_endless_loop_costs_the_questions_own_seconds_and_no_patience(limited):
    """Patience is for the clock, which goes on where others compute; what an answer computes is counted."""
    result = limited.patient.grade(
        LESSON, "q1", Notebook([f"def {NAME}(*x):\n    while True:\n        pass\n"]), (SEED,)
    )
    assert result.hint.startswith(f"still running after {QUESTIONS['q1'].seconds:g} s on line")
