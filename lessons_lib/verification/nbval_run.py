"""One run of a notebook through nbval, in this process's environment, and what each of its cells gave.

The same comparison as `make test`: nbval for what is printed, `plugin` for pictures and widgets. Needs nbval.
"""

import contextlib
import io
import math
import os
import re
import site
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import no_type_check

import pytest
from nbval.plugin import IPyNbCell, NbCellError

import lessons_lib
from lessons_lib.verification import plugin
from lessons_lib.verification.shown import ask

MODULES = """__import__("json").dumps(sorted({name.partition(".")[0] for name in __import__("sys").modules}))"""
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")  # the colours of a traceback
PLUGINS = ["-p", "nbval.plugin", "-p", "no:cacheprovider", "--noconftest"]
OPTIONS = ["--nbval", "--nbval-current-env", "--capture=no", "--color=no", *PLUGINS]


class KernelDied(Exception):
    """A cell's process ended: no message comes any more."""


class PytestFailed(Exception):
    """It did not come to run the cells: a fault of ours, or of its installation."""


@dataclass(frozen=True)
class Cell:
    """What one code cell of a run gave.

    Args:
        number: of the code cells, from 1: the number that Jupyter shows in brackets.
        compared: whether its output was; not with the tag `nbval-ignore-output`, and not if it stores none.
        problem: "differs" in what it prints, "shows" another picture or widget, "fails", or None.
        stored, now: what it prints, if that differs; else `now` is what differs, or the error, in one line.
    """

    number: int
    compared: bool
    problem: str | None = None
    stored: str = ""
    now: str = ""


@dataclass(frozen=True)
class Run:
    """A whole notebook: its cells, the modules that it imported (the first part of their names), and the time."""

    cells: tuple[Cell, ...]
    modules: frozenset[str]
    seconds: float


def run(path: Path, variables: dict[str, str], tell: Callable[[], None] = lambda: None) -> Run:
    """Run a notebook in its folder, with the library that is imported here; `tell` is called after each cell.

    Args:
        variables: of the environment; PYTHONPATH goes before what is there.

    Raises:
        PytestFailed: pytest itself fails.
    """
    recorder, printed = _Recorder(tell), io.StringIO()
    begin = time.perf_counter()
    # Nothing of the instructor's own pytest takes part: no settings, no plugins.
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTHONPATH": _paths(variables)}
    with tempfile.TemporaryDirectory() as folder, _environment(variables | alone):
        settings = Path(folder, "pytest.ini")
        settings.write_text("[pytest]\n", "utf8")
        place = ["-c", str(settings), "--rootdir", str(path.parent.absolute()), str(path.absolute())]
        with contextlib.redirect_stdout(printed):
            code = pytest.main([*OPTIONS, *place], plugins=[plugin, recorder])
    if recorder.interrupted:
        raise KeyboardInterrupt
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise PytestFailed(f"pytest ended with {code}: {printed.getvalue()[-2000:]}")
    modules = frozenset(recorder.after - recorder.before)
    return Run(tuple(recorder.cells), modules, time.perf_counter() - begin)


def _paths(variables: dict[str, str]) -> str:
    library = str(Path(lessons_lib.__file__).parents[1])
    wanted = [variables.get("PYTHONPATH"), library, os.environ.get("PYTHONPATH")]
    return os.pathsep.join(path for path in wanted if path and path not in site.getsitepackages())


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Recorder:
    """A plugin of pytest that keeps what became of each cell."""

    def __init__(self, tell: Callable[[], None]):
        self.tell, self.cells, self.interrupted = tell, [], False
        self.before: set[str] = set()
        self.after: set[str] = set()

    def pytest_keyboard_interrupt(self):
        self.interrupted = True

    @pytest.hookimpl(wrapper=True)
    @no_type_check
    def pytest_runtest_call(self, item):
        if not self.cells:
            _notice_death(item.parent.kernel)
            self.before = _modules(item)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    @no_type_check
    def pytest_runtest_makereport(self, item, call):
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            self.cells.append(_cell(item, call.excinfo))
            self.tell()
        return (yield)

    def pytest_runtest_teardown(self, item, nextitem):
        if nextitem is None:
            self.after = _modules(item)


def _notice_death(kernel) -> None:
    """Let what waits for a kernel ask each second whether it lives; nbval waits half an hour for a dead one."""
    wait = kernel.get_message

    def get_message(stream: str, timeout: float | int | None = None):
        end = time.monotonic() + (math.inf if timeout is None else timeout)
        while True:
            try:
                return wait(stream, timeout=min(1, max(0, end - time.monotonic())))
            except Empty:
                if not kernel.is_alive():
                    raise KernelDied("the kernel died") from None
                if time.monotonic() >= end:
                    raise

    kernel.get_message = get_message


def _modules(item: IPyNbCell) -> set[str]:
    """What the kernel has imported; nothing if it is dead."""
    try:
        return set(ask(item.parent.kernel, MODULES))
    except Exception:  # a dead kernel fails in many ways, and its cell has told so already
        return set()


def _cell(item: IPyNbCell, raised) -> Cell:
    number, outputs = item.cell_num + 1, item.test_outputs or []
    compared = bool(item.options["check"]) and item.cell.execution_count is not None
    if raised is None or raised.errisinstance(pytest.skip.Exception):
        return Cell(number, compared and raised is None)
    error = raised.value
    failed = [output for output in outputs if output.output_type == "error"]
    if failed and not item.options["check_exception"]:
        last = f"{failed[-1].ename}: {failed[-1].evalue}"
        return Cell(number, compared, "fails", now=_line(last))
    if not isinstance(error, NbCellError) or "Timeout" in str(error):
        return Cell(number, compared, "fails", now=_line(str(error)))
    stored, now = printed(item.cell.outputs), printed(outputs)
    if stored == now:
        return Cell(number, compared, "shows", now=_line(str(error).partition("stores: ")[2] or str(error)))
    return Cell(number, compared, "differs", stored, now)


def _line(text: str) -> str:
    """The first line that says something, without colours."""
    return next((line.strip() for line in ESCAPES.sub("", text).splitlines() if line.strip()), "")


def printed(outputs: list) -> str:
    """What a cell gave as text: its streams, and the forms in which results are written."""
    found: dict[str, str] = {}
    for output in outputs:
        texts = {output["name"]: output["text"]} if output["output_type"] == "stream" else output.get("data", {})
        for kind, text in texts.items():
            if isinstance(text, str) and not kind.startswith("image/"):
                found[kind] = found.get(kind, "") + text.rstrip("\n") + "\n"
    return "".join(found[kind] for kind in sorted(found))
