"""The library of a checkout as a wheel."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lessons_lib.errors import UserError

NEEDED = (
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "requirements.txt",
    "README.md",
    "LICENSE",
    "LICENSE-prose",
    "lessons_lib",
    "solutions",
)
PIP = ("pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")


def wheel(checkout: Path, to: Path) -> Path:
    """Build it into the folder ``to``, from a copy, so that nothing is left in the checkout.

    Raises:
        UserError: pip or setuptools cannot; the sentence is theirs.
    """
    with tempfile.TemporaryDirectory() as temporary:
        source, built = Path(temporary, "source"), Path(temporary, "built")
        source.mkdir()
        for name in NEEDED:
            if (checkout / name).is_dir():
                shutil.copytree(checkout / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(checkout / name, source)
        done = subprocess.run(
            [sys.executable, "-m", *PIP, "--wheel-dir", built, source], capture_output=True, text=True
        )
        if done.returncode != 0:
            said = " ".join(done.stderr.split())[-300:]
            raise UserError(
                f"no wheel could be built; install pip and setuptools in this environment. They say: {said}"
            )
        (made,) = built.glob("*.whl")
        to.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(made, to))
