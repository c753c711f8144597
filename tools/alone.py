"""Run lessons as on Colab: each notebook alone in an empty folder, with the library of a wheel, not of this checkout.

    python -m tools.alone                     every lesson
    python -m tools.alone 00_start_here       this one

What a lesson would miss elsewhere fails here: a file that the wheel forgets, a path into the checkout, another lesson.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from zipfile import ZipFile

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import v4

from lessons_lib.handout.wheels import wheel
from tools.lesson_files import ROOT, lessons, read_notebook

CHECK = "import lessons_lib\nassert lessons_lib.__file__.startswith({!r}), lessons_lib.__file__"


def unpacked_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout and unpack it into a new folder inside `folder`."""
    unpacked = folder / "site"
    with ZipFile(wheel(ROOT, folder)) as archive:
        archive.extractall(unpacked)
    return unpacked


def run_alone(name: str, library: Path, folder: Path) -> str | None:
    """Run one lesson in a new empty folder inside `folder`; why it failed, or None."""
    alone = folder / name
    alone.mkdir()
    notebook = read_notebook(ROOT / "notebooks" / f"{name}.ipynb")
    notebook.cells.insert(0, v4.new_code_cell(CHECK.format(str(library))))
    client = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(alone)}})
    try:
        client.execute(env={**os.environ, "PYTHONPATH": str(library)})
    except CellExecutionError as error:
        return str(error)
    return None


def main() -> None:
    known = [path.stem for path in lessons()]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"such as {known[0]}")
    names = parser.parse_args().names or known
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"no such lesson: {', '.join(unknown)}; there are {', '.join(known)}")
    failed = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        library = unpacked_wheel(folder)
        for name in names:
            begin = time.perf_counter()
            why = run_alone(name, library, folder)
            print(f"{name}: {'FAILED' if why else 'runs alone'} after {time.perf_counter() - begin:.0f} s", flush=True)
            if why:
                failed.append(name)
                print(why)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
