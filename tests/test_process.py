"""What the command tells its process: the environment has the last word, and a system without glibc goes on."""

import ctypes
import os
import platform
import subprocess
import sys

import pytest

from lessons_lib import process

NAMES = ("GOMP_SPINCOUNT", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in [*NAMES, *(name for name in os.environ if name.startswith("MALLOC_"))]:
        monkeypatch.delenv(name, raising=False)


class Libc:
    def __init__(self, calls):
        self.mallopt = lambda *given: calls.append(given)


def test_what_is_set(monkeypatch):
    calls = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Libc(calls))
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    process.tune_process()
    assert [os.environ[name] for name in NAMES] == ["7", "80"]
    assert dict(calls) == {process.M_MMAP_THRESHOLD: process.KEPT, process.M_TRIM_THRESHOLD: process.KEPT}


@pytest.mark.parametrize("libc", [lambda name: object(), lambda name: (_ for _ in ()).throw(TypeError)])
def test_a_system_without_glibc_goes_on(monkeypatch, libc):
    monkeypatch.setattr(ctypes, "CDLL", libc)
    process.tune_process()
    process.give_memory_back()
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "80"


def test_who_has_tuned_malloc_keeps_it(monkeypatch):
    calls = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Libc(calls))
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    process.tune_process()
    assert calls == []


HOLES = """
import os
from lessons_lib.process import give_memory_back, tune_process
def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
tune_process()
kept = [b"x" * (100_000 + i % 7) for i in range(2_000)]
del kept[:-1]
before = megabytes()
give_memory_back()
print(before - megabytes())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's")
def test_freed_memory_goes_back():
    """200 MB of blocks are freed, and glibc keeps them because the last block is still in use."""
    printed = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True).stdout
    assert float(printed) > 150
