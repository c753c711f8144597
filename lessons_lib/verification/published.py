"""What the course publishes of its lessons: the digests of their cells, and how long a run takes; and the versions.

With the digests an edited notebook is told apart from one that gives something else here. `make lessons` writes them
(`tools/published.py`).
"""

import hashlib
import importlib.metadata
import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lessons_lib.verification.shown import HOUSEKEEPING, STATE, VIEW

TABLE = Path(__file__).with_name("published.json")
PINS = "requirements.txt"
ON_COLAB = "remove-cell"  # the tag of the cell that installs the library there; each class has its own address


@dataclass(frozen=True)
class Version:
    """A package whose version here is not the pinned one."""

    package: str
    here: str
    pinned: str

    def __str__(self) -> str:
        return f"{self.package} {self.here} (pinned: {self.pinned})"


@dataclass(frozen=True)
class Edits:
    """What differs between a notebook and the course's, by the numbers of the code cells, from 1.

    Args:
        code: the first cell whose code is another, or that is missing, added or moved; None if there is none.
        outputs: cells before it that store another output.
    """

    code: int | None
    outputs: frozenset[int]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def digests(notebook: dict) -> list[tuple[str, str]]:
    """Of each code cell a digest of its source and one of what it stores: text, pictures, and states of widgets."""
    states = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
    found = []
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        if ON_COLAB in cell["metadata"].get("tags", []):
            found.append(("", ""))
            continue
        stored = []
        for output in cell["outputs"]:
            data = dict(output.get("data", {}))
            state = states.get(data.pop(VIEW, {}).get("model_id"), {}).get("state", {})
            kept = {key: value for key, value in state.items() if key not in HOUSEKEEPING}
            stored.append([output.get("text", ""), data, kept])
        found.append((_digest(cell["source"].strip()), _digest(json.dumps(stored, sort_keys=True))))
    return found


def _name(lesson: str) -> str:
    """A lesson's name without its number, which another order of the lessons changes."""
    return lesson.partition("_")[2]


class Published:
    """The table of the lessons."""

    def __init__(self) -> None:
        table = json.loads(TABLE.read_text("utf8"))
        self.machine: str = table["machine"]
        self._lessons = {_name(lesson): entry for lesson, entry in table["lessons"].items()}

    def seconds(self, lesson: str) -> int | None:
        """How long a run takes on `machine`; None if nobody has measured it."""
        return self._lessons.get(_name(lesson), {}).get("seconds")

    def edits(self, lesson: str, notebook: dict) -> "Edits | None":
        """Where a notebook is not the course's; None if the course has no such lesson."""
        if _name(lesson) not in self._lessons:
            return None
        published = [tuple(cell.split(":")) for cell in self._lessons[_name(lesson)]["cells"].split()]
        pairs = list(zip(digests(notebook), published, strict=False))
        same = list(itertools.takewhile(lambda pair: pair[0][0] == pair[1][0], pairs))
        whole = len(same) == len(digests(notebook)) == len(published)
        outputs = {number for number, (cell, known) in enumerate(same, 1) if cell != known}
        return Edits(None if whole else len(same) + 1, frozenset(outputs))


def pins() -> dict[str, str] | None:
    """The versions with which the lessons were stored, by package; None where they did not come along."""
    places = (Path(__file__).with_name(PINS), Path(__file__).parents[2] / PINS)
    path = next(filter(Path.is_file, places), None)
    if path is None:
        return None
    lines = path.read_text("utf8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def other_versions(modules: Iterable[str], pinned: dict[str, str]) -> list[Version]:
    """The packages of some modules whose version here is not the pinned one, without build names such as +cpu."""
    names = importlib.metadata.packages_distributions()
    packages = {_canonical(package) for module in modules for package in names.get(module, [])}
    found = []
    for package, version in pinned.items():
        if _canonical(package) in packages:
            here = importlib.metadata.version(package).partition("+")[0]
            if here != version:
                found.append(Version(package, here, version))
    return found


def _canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()
