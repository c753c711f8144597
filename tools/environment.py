"""Make `.venv` and install what a task needs, at the versions of requirements.txt.

    python3 -m tools.environment book     what builds the site: the extra `book`, no torch
    python3 -m tools.environment paper    and what prints it: the extra `paper`
    python3 -m tools.environment all      all of requirements.txt, and the package itself, editable

A second call with nothing changed does nothing: a stamp in `.venv` holds a hash of what was asked for.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tools import debian

EXTRAS = {"book": ["book"], "paper": ["book", "paper"], "all": []}  # all: the pins and the package, whatever the extras
ENOUGH = {"book": ["book", "paper", "all"], "paper": ["paper", "all"], "all": ["all"]}  # one of these is installed
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def run(*command: str) -> None:
    """Run a command without a terminal; leave with its exit code when it fails."""
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"This failed: {' '.join(map(str, command))}")


def works() -> bool:
    """Whether `.venv` is whole, and made with the Python that was asked for, if one was (make PYTHON=...)."""
    if not PYTHON.exists() or (os.environ.get("PYTHON") and PYTHON.resolve() != Path(sys.executable).resolve()):
        return False
    return subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0


def make_venv() -> None:
    """Create `.venv` if there is none that works."""
    if works():
        return
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        if not debian.install(package):
            sys.exit(f"{sys.executable} cannot make a virtual environment. Run: sudo apt-get install {package}")
    print(f"Making .venv with Python {sys.version.split()[0]} ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(VENV))


def fingerprint(project: dict) -> str:
    """What an installation depends on: the pins, the project's own lists, where it stands, its Python."""
    pins = (ROOT / "requirements.txt").read_text("utf8")
    parts = [pins, json.dumps(project, sort_keys=True), str(ROOT), str(PYTHON.resolve())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def main(what: str) -> None:
    make_venv()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    wanted = fingerprint(project)
    stamps = {name: VENV / f"installed-{name}" for name in EXTRAS}
    if any(stamps[name].exists() and stamps[name].read_text() == wanted for name in ENOUGH[what]):
        return
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-qq"]
    print(f"Installing into .venv ({what}), the first time takes minutes ...", flush=True)
    if what == "all":
        run(*pip, "-r", "requirements.txt")
        run(*pip, "--no-deps", "--no-build-isolation", "-e", ".")
    else:
        asked = [package for extra in EXTRAS[what] for package in project["optional-dependencies"][extra]]
        run(*pip, "-c", "requirements.txt", *asked)
    stamps[what].write_text(wanted)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in EXTRAS:
        sys.exit(__doc__)
    main(sys.argv[1])
