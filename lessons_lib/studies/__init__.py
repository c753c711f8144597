"""Studies: experiments too long for a lesson, run with many seeds by one command, their numbers stored beside them.

A study is a module of this folder. It says its question and, before any number was seen, the bound that decides:

    QUESTION = "Do two heads learn to look up two things at once where one cannot?"
    LESSON = 3
    BOUND = "two heads ahead by more than 0.2 of right answers, over 10 seeds"
    SEEDS = range(10)

    def run(seed: int) -> dict[str, float]: ...              # one training, everything seeded; a number a name
    def conclude(study: Study) -> dict[str, str]: ...        # statements, each with its word: true, false, open

`python -m lessons_lib.studies NAME` runs it and writes NAME.json and its card NAME.md. A lesson reads the numbers with
`load(NAME)`, draws them, and runs one seed itself. A test compares the module with what its numbers were made by.
"""

import ast
import hashlib
import importlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

from lessons_lib.evidence import Estimate, estimate, paired

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Study:
    """The stored numbers of one study: ``results[name]`` has one number a seed, in the order of ``seeds``."""

    name: str
    seeds: list[int]
    results: dict[str, list[float]]
    made: dict[str, str]

    def estimate(self, name: str) -> Estimate:
        """Mean and interval over the seeds."""
        return estimate(self._values(name))

    def difference(self, a: str, b: str) -> Estimate:
        """Mean and interval of a − b, seed by seed."""
        return paired(self._values(a), self._values(b))

    @cached_property
    def verdicts(self) -> dict[str, str]:
        """Each statement of the study with its word, from these numbers."""
        return module(self.name).conclude(self)

    def _values(self, name: str) -> list[float]:
        if name not in self.results:
            raise KeyError(f"the study {self.name} measured {', '.join(self.results)}, not {name!r}")
        return self.results[name]


def names() -> list[str]:
    """Every study, by name."""
    return sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def module(name: str) -> ModuleType:
    """The code of a study.

    Raises:
        ValueError: there is no such study.
    """
    if name not in names():
        raise ValueError(f"there is no study {name!r}; there are {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")


def load(name: str) -> Study:
    """The stored numbers of the study ``name``.

    Raises:
        ValueError: there is no such study, or it was not run yet.
    """
    module(name)
    path = FOLDER / f"{name}.json"
    if not path.exists():
        raise ValueError(f"the study {name!r} has no numbers yet; run: python -m lessons_lib.studies {name}")
    return Study(name, **json.loads(path.read_text("utf8")))


def program(name: str) -> str:
    """A hash of what a study computes, with what it imports from this folder; comments and docstrings are not in it."""
    path = FOLDER / name.replace(".", "/")
    hashed = hashlib.sha256()
    for file in sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]:
        tree = ast.parse(file.read_text("utf8"))
        for node in ast.walk(tree):
            documented = isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            if documented and ast.get_docstring(node) is not None:
                del node.body[0]
        # What is imported is part of the program; where it lies, and the order of the lines, is not.
        imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        tree.body = [node for node in tree.body if node not in imports]
        hashed.update(" ".join(sorted(ast.unparse(name) for node in imports for name in node.names)).encode())
        hashed.update(ast.dump(tree).encode())
        for node in imports:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{__name__}."):
                hashed.update(program(node.module.removeprefix(f"{__name__}.")).encode())
    return hashed.hexdigest()[:16]
