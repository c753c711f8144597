"""A class of a hundred through `lessons grade`, and some of its hand-ins through nbgrader too.

Each learner hands in all exercises. Seven answers of ten are the course's, one was left as it was handed out, and two
have a small mistake (`tools.mutate`). nbgrader runs the same notebooks; its tests call the same judges with as many
inputs. A learner costs it minutes, so the two are compared on a few learners, in turn.

    python -m benchmarks.grading FOLDER LEARNERS    writes the hand-ins of so many invented learners, to try a grader
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import torch

from lessons_lib.grading.batch.batch import seeds_of
from lessons_lib.grading.reference import solutions
from lessons_lib.timing import ratio, take_turns
from tools.mutate import edits

ROOT = Path(__file__).parent.parent
EXERCISES = sorted((ROOT / "exercises").glob("[0-9]*.ipynb"))
NBGRADER = "nbgrader==0.9.6"  # of PyPI, 330 MB with what it needs, BSD
RIGHT, UNTOUCHED = 0.7, 0.1  # shares of the answers; the rest has a mistake
OURS = "lessons grade"
SEED = 0  # of the inputs
CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "class"
c.ExecutePreprocessor.timeout = 600
c.ExecutePreprocessor.kernel_name = "python3"
c.ClearSolutions.enforce_metadata = False
"""


def grading(
    device: torch.device, learners: int = 100, compared: int = 2, rounds: int = 3, rival: bool = True
) -> Iterator[tuple[str, ...]]:
    """A row for the class, and one for each system on the same few learners; the ratio is the median of the rounds.

    Args:
        rival: whether nbgrader is fetched and run.

    Raises:
        SystemExit: a system did not grade everything.
    """
    yield "system", "hand-ins", "seconds", "MiB at the peak", "ours is faster by"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hand_in(folder / "class", learners)
        seconds, peak = watched(lambda: grade(folder / "class", folder / "report"))
        yield OURS, str(learners * len(EXERCISES)), f"{seconds:.0f}", f"{peak:.0f}", ""
        hand_in(folder / "some", compared)
        systems = {OURS: lambda: grade(folder / "some", folder / "some_report")}
        if rival:
            systems[NBGRADER] = Nbgrader(folder / "nbgrader", folder / "some")
        spent = take_turns(systems, rounds)
        for system, rows in spent.items():
            middle = sorted(rows)[len(rows) // 2]
            faster = "" if system == OURS else ratio(rows, spent[OURS])
            yield system, str(compared * len(EXERCISES)), f"{middle:.0f}", "", faster


def hand_in(folder: Path, learners: int) -> None:
    """All exercises of so many learners, a folder each; the same ones each time."""
    for number in range(learners):
        draw = random.Random(number)
        home = folder / f"learner_{number:03}"
        home.mkdir(parents=True)
        for path in EXERCISES:
            notebook = json.loads(path.read_text("utf8"))
            for cell in notebook["cells"]:
                kind, *names = cell["metadata"].get("tags", [""])
                if kind == "answer":
                    cell["source"] = answer(names[0], cell["source"], draw)
            (home / path.name).write_text(json.dumps(notebook), "utf8")


def answer(name: str, untouched: list[str], draw: random.Random) -> str | list[str]:
    """The source of a cell in which a learner answers."""
    kind, text = draw.random(), solutions()[name]
    if kind < RIGHT:
        return text
    return untouched if kind < RIGHT + UNTOUCHED else draw.choice(edits(name, text)).text


def grade(submissions: Path, report: Path) -> None:
    """Everything, isolated, as an instructor does it."""
    shutil.rmtree(report, ignore_errors=True)
    command = [sys.executable, "-m", "lessons_lib.cli", "grade", submissions, "--out", report, "--seed", str(SEED)]
    run([*command, "--require-isolation", "--json"])


class Nbgrader:
    """Its own environment and course. Calling it grades the hand-ins anew."""

    def __init__(self, folder: Path, submissions: Path) -> None:
        venv.create(folder / "env", with_pip=True)
        self.command, self.course = folder / "env" / "bin" / "nbgrader", folder / "course"
        run([folder / "env" / "bin" / "pip", "install", "--quiet", NBGRADER])
        site = next((folder / "env" / "lib").glob("python*/site-packages"))
        (site / "course.pth").write_text(
            "\n".join([str(ROOT), *(path for path in sys.path if "site-packages" in path)])
        )
        self.learners = sorted(path.name for path in submissions.iterdir())
        source = self.course / "source" / "class"
        source.mkdir(parents=True)
        (self.course / "nbgrader_config.py").write_text(CONFIG)
        for path in EXERCISES:
            (source / path.name).write_text(json.dumps(with_tests(path)), "utf8")
        run([self.command, "generate_assignment", "class", "--create", "--force"], self.course)
        for learner in self.learners:
            home = self.course / "submitted" / learner / "class"
            home.mkdir(parents=True)
            for path in EXERCISES:
                (home / path.name).write_text(json.dumps(with_tests(submissions / learner / path.name)), "utf8")

    def __call__(self) -> None:
        run([self.command, "autograde", "class", "--force"], self.course)
        done = list((self.course / "autograded").glob("*/class/*.ipynb"))
        if len(done) != len(self.learners) * len(EXERCISES):
            raise SystemExit(f"{NBGRADER} graded {len(done)} of {len(self.learners) * len(EXERCISES)} hand-ins")


def with_tests(path: Path) -> dict:
    """The notebook as an instructor prepares it for nbgrader: cells that are marked, and a test for each question."""
    notebook = json.loads(path.read_text("utf8"))
    for cell in notebook["cells"]:
        kind, *rest = cell["metadata"].get("tags", [""])
        marks = {"schema_version": 3, "grade_id": cell["id"], "locked": kind == "check", "grade": kind == "check"}
        if kind == "answer":
            cell["metadata"]["nbgrader"] = marks | {"solution": True, "task": False}
        elif kind == "check" and rest:
            cell["metadata"]["nbgrader"] = marks | {"solution": False, "task": False, "points": 1}
            cell["source"] = test(path.stem, rest[0])
        elif kind in ("check", "keep", "train"):  # all questions once more, and what is not graded
            cell["source"] = ""
    return notebook


def test(lesson: str, question: str) -> str:
    """As many inputs as ours gets, and the same judge."""
    return (
        "from lessons_lib.grading.notebook import grade\n"
        f"graded = grade({lesson!r}, {question!r}, globals(), seeds={seeds_of(SEED)})\n"
        "assert graded.points == graded.total, graded.hint\n"
    )


def run(command: list, folder: Path = ROOT) -> None:
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path}
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, env=environment)
    if done.returncode != 0 and "autograde" not in command:
        raise SystemExit(f"{' '.join(map(str, command))} failed: {done.stderr.strip()[-1000:]}")


def watched(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and the peak of the memory (MiB, PSS: what is shared counts once) of all processes that it starts."""
    over, peak = threading.Event(), 0

    def look() -> None:
        nonlocal peak
        while not over.wait(0.5):
            peak = max(peak, sum(map(proportional, psutil.Process().children(recursive=True))))

    watcher = threading.Thread(target=look)
    watcher.start()
    start = time.perf_counter()
    try:
        work()
    finally:
        seconds = time.perf_counter() - start
        over.set()
        watcher.join()
    return seconds, peak / 2**20


def proportional(process: psutil.Process) -> int:
    """Its part of the memory in bytes (all of it, where the system counts no parts); 0 if it is over."""
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    return getattr(memory, "pss", memory.uss)


if __name__ == "__main__":
    hand_in(Path(sys.argv[1]), int(sys.argv[2]))
