"""What comes from npm when it is asked for: rivals that run in the page, and a font."""

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath


def fetch(package: str, files: Sequence[str], folder: Path, below: str = "dist") -> None:
    """Put these files of ``package`` ("name@version"), which lie in its folder ``below``, into ``folder``.

    Raises:
        SystemExit: npm is not here, or gets nothing.
    """
    if not shutil.which("npm"):
        raise SystemExit(f"{package} comes from npm, which is not on the PATH; install Node.js")
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(["npm", "pack", "--silent", package], cwd=name, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"npm could not fetch {package}: {done.stderr.strip()}")
        folder.mkdir(exist_ok=True)
        with tarfile.open(next(Path(name).iterdir())) as packed:
            for file in files:
                (folder / file).write_bytes(packed.extractfile(str(PurePosixPath("package", below, file))).read())
