"""Make the exercises: solutions/NN_name.py -> exercises/NN_name.ipynb, the notebook that a learner fills in.

    make exercises                              writes them, to the same bytes each time
    python -m tools.make_exercises --check      writes nothing; fails if one is not what its source gives

A source is a py:percent file. The first word of a cell's title says what it is: `text`, `question` and `hints` are to
be read, `setup`, `check`, `keep` and `train` to be run, an `answer` to be written, and a `solution` stays here. What
stands before the first title is for authors.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import jupytext
import yaml

from lessons_lib.files import write_whole
from lessons_lib.grading import edition
from tools.plain_markdown import MARKER, plain

ROOT = Path(__file__).resolve().parent.parent
SOLUTIONS, EXERCISES = ROOT / "solutions", ROOT / "exercises"
PROSE, CODE, KEPT_BACK = ("text", "question", "hints"), (("setup", "answer", "check", "keep", "train")), "solution"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
INSTALL = """\
import sys

if "google.colab" in sys.modules:  # on Colab only: elsewhere this cell does nothing
    import subprocess

    source = "lessons_lib @ git+{repository}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)
"""


class SourceError(Exception):
    """A source that no exercise can be made of."""


def repository() -> str:
    """The address of the repository, with its branch if it is not main, from the one place where they stand."""
    said = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["repository"]
    return said["url"] if said["branch"] == "main" else f"{said['url']}@{said['branch']}"


def edition_mark() -> str:
    """What a class's copy says in its notebooks, for `lessons grade`."""
    return f"\n# Edition: {edition.current().name}\n" if edition.OWN.is_file() else ""


def sources() -> list[Path]:
    return sorted(SOLUTIONS.glob("[0-9][0-9]_*.py"))


def target(source: Path) -> Path:
    return EXERCISES / f"{source.stem}.ipynb"


def exercise(source: Path) -> str:
    """The notebook of a source, as the text of its file.

    Raises:
        SourceError: a cell has no title, or one that is not known.
    """
    cells = jupytext.read(source, fmt="py:percent").cells
    if not source.read_text("utf8").startswith("# %%"):  # what stands before the first title
        cells = cells[1:]
    made: list[dict] = []
    for cell in cells:
        title = cell.metadata.get("title", "")
        kind, _, subject = title.partition(" ")
        if kind == "setup":
            made.append(_code("install", INSTALL.format(repository=repository()) + edition_mark()))
        if (cell.cell_type, kind) in {("markdown", name) for name in PROSE}:
            made.append(_markdown(title, cell.source))
        elif (cell.cell_type, kind) in {("code", name) for name in CODE}:
            made.append(_code(title, cell.source))
        elif kind != KEPT_BACK or not subject:
            raise SourceError(f"{source.name}: a {cell.cell_type} cell is called {title!r}; use one of {PROSE + CODE}")
    _number_ids(made)
    notebook = {"cells": made, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _code(title: str, source: str) -> dict:
    # The tags tell a grader which cell is which, without running it.
    tags = {"tags": title.split()}
    return {"cell_type": "code", "execution_count": None, "metadata": tags, "outputs": []} | _cell(title, source)


def _markdown(title: str, source: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}} | _cell(title, plain(MARKER.sub("", source), SOLUTIONS))


def _cell(title: str, source: str) -> dict:
    slug = title.replace(" ", "-").replace("_", "-")
    return {"id": slug[:60], "source": source.strip("\n").splitlines(keepends=True)}


def _number_ids(cells: list[dict]) -> None:
    """A title that comes again is numbered, so that editing one cell changes no other cell's id."""
    seen: Counter[str] = Counter()
    for cell in cells:
        seen[cell["id"]] += 1
        if seen[cell["id"]] > 1:
            cell["id"] += f"-{seen[cell['id']]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if an exercise is out of date")
    check = parser.parse_args().check
    stale = []
    made = {target(source): exercise(source) for source in sources()}
    for path, text in made.items():
        if path.exists() and path.read_bytes() == text.encode():
            print(f"{path.name}: up to date")
        elif check:
            stale.append(path.name)
        else:
            write_whole(path, text)
            print(f"{path.name}: written")
    if stale:
        sys.exit(f"out of date: {', '.join(stale)}; run `make exercises`")


if __name__ == "__main__":
    main()
