"""What `lessons verify` knows of the lessons: lessons_lib/verification/published.json. `make lessons` writes it.

python -m tools.published RUN       takes the times from what `lessons verify --json` printed, on a machine at rest
"""

import json
import sys
from pathlib import Path

from lessons_lib.files import write_whole
from lessons_lib.verification.published import TABLE, digests
from tools.lesson_files import lessons, read_notebook


def table(measured: dict) -> str:
    """The text of the table, a line a lesson: the digests of today's notebooks, and times that were measured.

    Args:
        measured: an old table, for its times.
    """
    rows = {}
    for path in lessons():
        notebook = path.with_suffix(".ipynb")
        if notebook.exists():
            seconds = measured["lessons"].get(path.stem, {}).get("seconds")
            rows[path.stem] = {"seconds": seconds, "cells": " ".join(map(":".join, digests(read_notebook(notebook))))}
    lines = ",\n".join(f"{json.dumps(lesson)}: {json.dumps(row)}" for lesson, row in rows.items())
    return f'{{"machine": {json.dumps(measured["machine"])}, "lessons": {{\n{lines}\n}}}}\n'


def main(run: str | None = None) -> None:
    before = TABLE.read_text("utf8")
    measured = json.loads(before)
    if run is not None:
        found = json.loads(Path(run).read_text("utf8"))
        measured["machine"] = found["machine"]
        for lesson in found["lessons"]:
            measured["lessons"].setdefault(lesson["lesson"], {})["seconds"] = round(lesson["seconds"])
    wanted = table(measured)
    if before != wanted:
        write_whole(TABLE, wanted)
        print(f"{TABLE.name}: written")


if __name__ == "__main__":
    main(*sys.argv[1:2])
