"""Why a cell gives something else here than it stores: the text, a version, the device, an error. Or not decided.

Each verdict rests on something that was tried or compared: the digests of the course's own cells, a run on the CPU or
on one thread (and a second run as before, so that chance is not taken for it), the pinned versions, the digits.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from lessons_lib.verification import outputs, published
from lessons_lib.verification.nbval_run import Cell, Run, run

TEXT, VERSION, DEVICE, ERROR, NOT_DECIDED = "text", "version", "device", "error", "not decided"
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
ON_THE_CPU = {"CUDA_VISIBLE_DEVICES": ""}
MOST_RUNS = 5  # of a lesson that differs: as it is, on the CPU, on one thread, as it is again, with the pins
Again = Callable[[str, dict[str, str]], dict[int, Cell]]
Decide = Callable[[Sequence[int], str, str], None]


@dataclass(frozen=True)
class Difference:
    """A cell that does not give what it stores, the kind of the cause, and the evidence, in a sentence."""

    cell: int
    kind: str
    evidence: str
    stored: str
    now: str


@dataclass(frozen=True)
class Verified:
    """What became of one lesson.

    Args:
        cells: how many code cells it has; not_compared: those whose output depends on the machine.
        after_error: differences below a cell that fails: its consequences, perhaps.
        seconds: of the first run; runs: how many were needed.
    """

    lesson: str
    cells: int
    not_compared: int
    differences: tuple[Difference, ...]
    after_error: int
    versions: tuple[published.Version, ...]
    seconds: float
    runs: int

    @property
    def as_stored(self) -> bool:
        """Whether all that is compared is as stored; a notebook that stores nothing is not verified."""
        return not self.differences and self.not_compared < self.cells


@dataclass(frozen=True)
class Here:
    """This environment: the switches that take something away from it, by a name, each with those before it."""

    switches: tuple[tuple[str, dict[str, str]], ...]
    pinned: dict[str, str] | None
    try_pins: bool = False


@dataclass(frozen=True)
class Suspects:
    """Versions that may be the cause, and what is known of a run with the pinned ones."""

    versions: Sequence[published.Version]
    tried: str = "--try-pins runs it with the pins"


def here(gpu: bool, threads: int, try_pins: bool) -> Here:
    """What can be switched off on a machine with so many threads, with or without an NVIDIA GPU."""
    switches = [("on the CPU", ON_THE_CPU)] if gpu else []
    if threads > 1:
        switches.append(("on one thread of the CPU", ON_THE_CPU | ONE_THREAD))
    return Here(tuple(switches), published.pins(), try_pins)


def verify(
    path: Path, table: published.Published, here: Here, tell: Callable[[str], None] = lambda _: None
) -> Verified:
    """Run a lesson, and again where it differs; `tell` is called after each cell, with what the run is for."""
    runs: list[Run] = []

    def again(what: str, variables: dict[str, str]) -> dict[int, Cell]:
        runs.append(run(path, variables, lambda: tell(what)))
        return {cell.number: cell for cell in runs[-1].cells}

    first = again("", {})
    wrong = [cell for cell in first.values() if cell.problem]
    fails = next((cell.number for cell in wrong if cell.problem == "fails"), len(first) + 1)
    open_ = {cell.number: cell for cell in wrong if cell.number < fails}
    versions = published.other_versions(runs[0].modules, here.pinned or {})
    notebook = nbformat.read(path, as_version=4)
    edits = table.edits(path.stem, notebook)
    found: list[Difference] = []

    def decide(cells: Sequence[int], kind: str, evidence: str) -> None:
        for number in cells:
            cell = open_.pop(number)
            found.append(Difference(number, kind, evidence, *outputs.first_difference(cell.stored, cell.now)))

    if edits:
        known = [n for n in open_ if n in edits.outputs]
        decide(known, TEXT, "what it stores is not what the course publishes of this cell; its code is the course's")
    _switch_off(open_, here, again, decide)
    nothing_else = tuple(runs)
    suspects = Suspects(versions)
    if open_ and here.try_pins and versions:
        suspects = _try_pins(open_, versions, again, decide)
    for number in list(open_):
        same = len({run.cells[number - 1].now for run in nothing_else}) == 1
        decide([number], *_without_another_run(open_[number], edits, suspects, here, same))
    if fails <= len(first):
        cell = first[fails]
        found.append(Difference(fails, ERROR, outputs.fix(cell.now), cell.stored, cell.now))
    return Verified(
        lesson=path.stem,
        cells=len(first),
        not_compared=sum(not cell.compared for cell in first.values()),
        differences=tuple(sorted(found, key=lambda one: one.cell)),
        after_error=sum(cell.number > fails for cell in wrong),
        versions=tuple(versions),
        seconds=runs[0].seconds,
        runs=len(runs),
    )


def _switch_off(open_: dict[int, Cell], here: Here, again: Again, decide: Decide) -> None:
    """Run without the GPU, then on one thread, and decide what comes out as stored there, and only there."""
    cleared: dict[int, str] = {}
    for what, variables in here.switches or (("again", {}),):
        if left := [number for number in open_ if number not in cleared]:
            cells = again(what, variables)
            cleared |= {number: what for number in left if cells[number].problem is None}
    if not cleared:
        return
    control = again("again", {}) if here.switches else {}
    for number, what in cleared.items():
        if number in control and control[number].problem:
            decide([number], DEVICE, f"{what} it comes out as stored; run again as before, it differs again")
        else:
            decide([number], NOT_DECIDED, "run again in the same way it came out as stored: it changes by itself")


def _try_pins(open_: dict[int, Cell], versions: Sequence[published.Version], again: Again, decide: Decide) -> Suspects:
    """Run with the pinned versions in place of those here; what is left of the suspects."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = [f"{one.package}=={one.pinned}" for one in versions]
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--target", folder, *wanted]
        done = subprocess.run(pip, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines()[:1]
            return Suspects(versions, f"not tried with the pins: pip cannot install them: {' '.join(said)}")
        cells = again("with the pinned versions", {"PYTHONPATH": folder})
    cleared = [number for number in open_ if cells[number].problem is None]
    decide(cleared, VERSION, f"with the pinned versions it comes out as stored; here: {_list(versions)}")
    if any(cell.problem == "fails" for cell in cells.values()):
        return Suspects(versions, "with the pins put beside the other packages here, the lesson fails")
    return Suspects([])


def _without_another_run(
    cell: Cell, edits: published.Edits | None, suspects: Suspects, here: Here, same: bool
) -> tuple[str, str]:
    """The kind of a difference that stays in every run, and the evidence.

    Args:
        same: whether every run gave the same other output.
    """
    packages, last = _list(suspects.versions), here.switches[-1][0] if here.switches else "in a second run"
    if not same:
        return NOT_DECIDED, f"{last} it gives another output again, and not the stored one"
    always = f"the same {last}"
    if edits is None:
        return NOT_DECIDED, "; ".join(filter(None, ["the course has no such lesson to compare with", packages, always]))
    if edits.code is not None and edits.code <= cell.number:
        where = "its code" if edits.code == cell.number else f"the code of [{edits.code}], above it,"
        if packages:
            return NOT_DECIDED, f"{where} is not the course's, and versions differ: {packages}; {always}"
        return TEXT, f"{where} is not the course's; {always}"
    if here.pinned is None:
        return NOT_DECIDED, f"the cells are the course's; its pins did not come with this library; {always}"
    rounding = cell.problem == "differs" and outputs.within_rounding(cell.stored, cell.now)
    if packages and rounding:
        return NOT_DECIDED, f"only last digits differ: this device, or {packages}; {always}; {suspects.tried}"
    if packages:
        return VERSION, f"{packages}; the cells are the course's; {always}; {suspects.tried}"
    if rounding:
        return DEVICE, f"only last digits differ, with the pinned versions; {always}: it is this device"
    return NOT_DECIDED, f"the cells and the versions are the course's; {always}: lessons_lib was changed, or the device"


def _list(versions: Sequence[published.Version]) -> str:
    return ", ".join(map(str, versions))
