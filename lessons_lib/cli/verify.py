"""`lessons verify`."""

import argparse
import importlib.util
import json
import platform
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lessons_lib.errors import UserError

if TYPE_CHECKING:
    from lessons_lib.verification.verdicts import Verified

HELP = """\
Run the lessons in your own environment, compare them with what they store, and say where a difference comes from.

  lessons verify                                            every lesson in this folder, or in its folder notebooks
  lessons verify notebooks --lessons 1-8
  lessons verify notebooks/03_multi_head_attention.ipynb --json

Needs nbval: pip install 'nbval>=0.11'. What a cell prints is compared letter by letter, pictures by how they look, the
states of widgets number by number; times and devices are not compared. A lesson that differs runs again, without the
GPU and on one thread. Then a difference is called

  text         the notebook is not the one that the course publishes
  version      a package is not of the pinned version (--try-pins runs the lesson with those that are)
  device       it goes away on the CPU, or on one thread; or only last digits differ, with the pinned versions
  error        the cell fails
  not decided  by what was tried, it can be more than one of these

The exit code is 0 if all is as stored, 1 if something differs.
"""
LESSON = re.compile(r"\d\d_\w+\.ipynb")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons verify`."""
    parser.add_argument("notebooks", type=Path, nargs="?", metavar="NOTEBOOKS", help="a folder, or one notebook")
    parser.add_argument("--lessons", metavar="LIST", help="which lessons, such as 1-8 or 1,3,5; all")
    parser.add_argument(
        "--try-pins", action="store_true", help="if versions differ, install the pinned ones aside, and run with them"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON, no progress bar")


def run(options: argparse.Namespace) -> int:
    """Verify; the exit code: 1 if something differs."""
    paths = _paths(options.notebooks, options.lessons)
    if importlib.util.find_spec("nbval") is None:
        raise UserError("nbval, which runs the notebooks, is not installed; pip install 'nbval>=0.11'")
    import nbformat
    import torch
    from tqdm import tqdm

    from lessons_lib.device import describe, pick_device
    from lessons_lib.verification.published import Published
    from lessons_lib.verification.verdicts import MOST_RUNS, here, verify

    cells = 0
    for path in paths:
        try:
            cells += sum(cell.cell_type == "code" for cell in nbformat.read(path, as_version=4).cells)
        except (ValueError, AttributeError, KeyError) as error:  # of nbformat, json and jsonschema
            raise UserError(f"{path} is no notebook that can be read ({_line(error)}); get it anew") from None
    table, device = Published(), pick_device()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    machine = f"{versions}; {describe(device)}"
    print(f"{machine}\n{_plan(paths, table.machine, table.seconds, MOST_RUNS)}", file=sys.stderr)
    place = here(device.type == "cuda", torch.get_num_threads(), options.try_pins)
    found = []
    with tqdm(total=cells, unit="cell", disable=options.json or None, file=sys.stderr) as bar:
        for path in paths:

            def tell(what: str, path: Path = path) -> None:
                bar.set_description(f"{path.stem} {what}".strip(), refresh=False)
                if what:  # a run that nobody could foresee
                    bar.total += 1
                bar.update()

            found.append(verify(path, table, place, tell))
            if not options.json:
                with bar.external_write_mode(file=sys.stdout):
                    print("\n".join(_lines(found[-1])), flush=True)
    if options.json:
        print(json.dumps({"machine": machine, "lessons": [asdict(one) for one in found]}, ensure_ascii=False))
    else:
        print(_sum(found))
    return 0 if all(one.as_stored for one in found) else 1


def _paths(given: Path | None, lessons: str | None) -> list[Path]:
    """The notebooks to run, in the order in which they are named; all in that of their numbers.

    Raises:
        ValueError: there are none, or not those that are asked for.
    """
    if given is not None and given.suffix == ".ipynb":
        if not given.is_file():
            raise UserError(f"{given} does not exist; give a folder of lessons, or one of its notebooks")
        if lessons is not None:
            raise UserError(f"--lessons {lessons} chooses from a folder, but {given} is one notebook; leave one out")
        return [given]
    from lessons_lib.grading.edition import numbers

    folders = [given] if given is not None else [Path("."), Path("notebooks")]
    for folder in folders:
        every = {int(path.name[:2]): path for path in sorted(folder.glob("*.ipynb")) if LESSON.fullmatch(path.name)}
        if every:
            chosen = every if lessons is None else numbers(lessons, list(every), "lesson")
            return [every[number] for number in chosen]
    where = " and ".join(map(str, folders))
    raise UserError(f"no lesson (such as 01_self_attention.ipynb) is in {where}; give the folder of the notebooks")


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:100]


def _plan(paths: list[Path], machine: str, seconds, most: int) -> str:
    """How many lessons, and how long they take, before they begin."""
    known = [found for path in paths if (found := seconds(path.stem)) is not None]
    minutes = f"about {sum(known) / 60:.1f} minutes ({machine})" if known else "nobody has measured how long"
    rest = f", and {len(paths) - len(known)} that nobody has measured" if known and len(known) < len(paths) else ""
    return f"{_many(len(paths), 'lesson')}: {minutes}{rest}; one that differs runs up to {most} times"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _lines(lesson: "Verified") -> list[str]:
    compared = f"{lesson.cells - lesson.not_compared} of {_many(lesson.cells, 'cell')} compared"
    many = _many(len(lesson.differences), "difference")
    verdict = many if lesson.differences else "as stored" if lesson.as_stored else "not verified, it stores nothing"
    lines = [f"{lesson.lesson}: {verdict}; {compared}; {lesson.seconds / 60:.1f} minutes, {_many(lesson.runs, 'run')}"]
    for one in lesson.differences:
        lines.append(f"  [{one.cell}] {one.kind}: {one.evidence}")
        lines += [f"      {name} {text}" for name, text in (("stored:", one.stored), ("now:   ", one.now)) if text]
    if lesson.after_error:
        lines.append(f"  {_many(lesson.after_error, 'cell')} below the error differ, too; mend it first")
    return lines


def _sum(found: "Iterable[Verified]") -> str:
    """The last lines: how many lessons are as stored, what the others have, and what is not as it was when stored."""
    found = list(found)
    kinds = [one.kind for lesson in found for one in lesson.differences]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    right = sum(one.as_stored for one in found)
    minutes = sum(one.seconds for one in found) / 60
    versions = ", ".join(sorted({str(version) for lesson in found for version in lesson.versions}))
    others = f"\nNot the pinned versions: {versions}" if versions else ""
    right_of_all = f"{right} of {_many(len(found), 'lesson')} as stored, in {minutes:.1f} minutes"
    return "; ".join(filter(None, [right_of_all, counts])) + others
