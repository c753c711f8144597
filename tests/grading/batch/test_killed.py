"""Who grades may be killed at any moment: no answer outlives it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SLEEPS = """
import sys
from lessons_lib.grading.batch import box
from lessons_lib.grading.batch.answers import Notebook
from lessons_lib.grading.batch.lane import Lane
from lessons_lib.grading.batch.server import Server
cell = '''
import ctypes, signal, time
def scaled_dot_product_attention(*x):
    ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    time.sleep(300)
'''
lane = Lane(Server(box.LEVELS[sys.argv[1]] if sys.argv[1:] else box.level()), 6)
print("begin", flush=True)
lane.grade("01_self_attention", "q1", Notebook([cell]), (0,))
"""


def _processes(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [path.parent.name] if mark.encode() in path.read_bytes() else []
        except OSError:
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
@pytest.mark.parametrize("level", [[], ["limits"]])
def test_no_answer_outlives_who_grades(level):
    mark = f"/lessons-killed-{os.getpid()}-{len(level)}"
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPS, *level],
        env=os.environ | {"LD_LIBRARY_PATH": mark},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "begin\n"
    until = time.monotonic() + 60
    while len(_processes(mark)) < 4 and time.monotonic() < until:  # it, the server, the one who waits, the answer
        time.sleep(0.1)
    time.sleep(0.5)
    assert len(_processes(mark)) == 4
    process.kill()
    process.wait()
    until = time.monotonic() + 20
    while _processes(mark) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _processes(mark)
