"""Resolve the dependencies of pyproject.toml anew into requirements.txt. Nothing is installed."""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from lessons_lib.files import write_whole
from tools.environment import PYTHON, ROOT, make_venv

PINS = ROOT / "requirements.txt"
HEADER = """\
# One resolved environment for the book, the lessons and the tests. Written by `make pins`; do not edit.
# torch: on Linux, PyPI's build carries CUDA; the README says how to take the smaller one for the CPU.
"""
# Some packages ask for a later patch release of Python than the one that an old stable Debian carries.
OLDEST_PYTHON = "3.11.2"
# The lessons' printed numbers were verified with this version: raise it together with `make lessons ALL=1`.
HELD = ["torch==2.13.0"]
# Libraries that only some builds of torch bring along: torch itself pins what it needs of them.
BUILD_SPECIFIC = re.compile(r"(nvidia|cuda|triton)")


def asked() -> list[str]:
    """Every requirement that pyproject.toml names, and what builds the package."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))
    extras = pyproject["project"]["optional-dependencies"].values()
    lists = [pyproject["build-system"]["requires"], pyproject["project"]["dependencies"], *extras]
    return sorted({requirement for one in lists for requirement in one})


def resolve() -> list[str]:
    """name==version for each package that pip would install, without local versions such as +cpu."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pip = [PYTHON, "-m", "pip", "install", "-qq", "--dry-run", "--ignore-installed", "--report", report]
        oldest = ["--python-version", OLDEST_PYTHON, "--only-binary", ":all:", "--target", folder]
        if subprocess.run([*pip, *oldest, *asked(), *HELD], stdin=subprocess.DEVNULL).returncode != 0:
            sys.exit("pip found no set of versions that fits; requirements.txt is as it was.")
        found = [one["metadata"] for one in json.loads(report.read_text("utf8"))["install"]]
    pins = [f"{one['name']}=={one['version'].partition('+')[0]}" for one in found]
    return sorted((pin for pin in pins if not BUILD_SPECIFIC.match(pin)), key=str.lower)


def main() -> None:
    make_venv()
    pins = resolve()
    write_whole(PINS, HEADER + "\n".join(pins) + "\n")
    print(f"{len(pins)} pins written to requirements.txt")


if __name__ == "__main__":
    main()
