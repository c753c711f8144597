"""Rivals that run in the page: their files come from npm when a table asks for them, and are not kept."""

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path


def fetch(package: str, files: Sequence[str], folder: Path) -> None:
    """Put these files of ``package``'s ``dist`` ("name@version") into ``folder``.

    Raises:
        SystemExit: npm is not here, or gets nothing.
    """
    if not shutil.which("npm"):
        raise SystemExit(f"{package} comes from npm, which is not on the PATH; install Node.js, or give rival=False")
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(["npm", "pack", "--silent", package], cwd=name, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"npm could not fetch {package}: {done.stderr.strip()}")
        folder.mkdir(exist_ok=True)
        with tarfile.open(next(Path(name).iterdir())) as packed:
            for file in files:
                (folder / file).write_bytes(packed.extractfile(f"package/dist/{file}").read())
