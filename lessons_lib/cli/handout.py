"""`lessons handout`."""

import argparse
import dataclasses
import shutil
import sys
import tempfile
from pathlib import Path

from lessons_lib.errors import UserError

HELP = """\
Make a class's copy of the course: its lessons, in its order, without solutions, at its own address.

  lessons handout --lessons 1-8 --out CLASS
  lessons handout --class class.toml --out CLASS
  lessons handout --lessons 1-13 --address https://github.com/a-university/transformers --out CLASS

Run it in a checkout of the course. CLASS is a new folder with

  students/       the repository for the class: push it, and its website, Colab links and installation are yours
  for_students/   the library as a wheel, for who has no network
  autograders/    a zip an exercise for Gradescope, a template for GitHub Classroom; both call `lessons grade`
  class.toml      what was asked for: give it to `lessons grade --class` and to the next `lessons handout`
  READ_ME.txt     what to do with each, and what could not be hidden

class.toml, all of it optional:

  name = "Transformers, spring"
  address = "https://github.com/a-university/transformers"
  branch = "main"
  lessons = "1-4, 6, 5"     # this order

  [points]
  3.q1 = 5                  # another number of points
  3.q3 = 0                  # the question is left out
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons handout`."""
    parser.add_argument("--out", type=Path, required=True, metavar="CLASS", help="a new folder")
    parser.add_argument("--class", type=Path, dest="edition", metavar="TOML", help="lessons, points, name, address")
    parser.add_argument("--lessons", metavar="LIST", help="such as 1-8 or 1,3,6,5, in this order; all")
    parser.add_argument("--name", metavar="TEXT", help="of the course, as its site shows it")
    parser.add_argument("--address", metavar="URL", help="of the class's repository")
    parser.add_argument("--branch", metavar="NAME", help="of that repository; main")
    parser.add_argument("--keep-solutions", action="store_true", help="for colleagues: a copy with its solutions")
    parser.add_argument("--course", type=Path, metavar="FOLDER", help="the checkout; else the one that this runs from")


def run(options: argparse.Namespace) -> int:
    """Make the copy, whole or not at all."""
    from tqdm import tqdm

    from lessons_lib.grading import edition
    from lessons_lib.handout import autograders, students

    course = _checkout(options.course)
    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise UserError(f"{options.out} is there already; give a new folder for --out")
    said = {name: getattr(options, name) for name in ("lessons", "name", "address", "branch") if getattr(options, name)}
    chosen = edition.read(options.edition) if options.edition else edition.Edition()
    chosen = dataclasses.replace(chosen, **edition.checked(said, "the command line"))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{options.out.name}-", suffix=".partial", dir=options.out.parent))
    try:
        with tqdm(total=students.STEPS + autograders.STEPS, unit="step", disable=None, file=sys.stderr) as bar:

            def tell(what: str) -> None:
                bar.set_description_str(what)
                bar.update()

            students.make(course, chosen, partial / "students", options.keep_solutions, tell)
            autograders.make(course, chosen, partial, options.keep_solutions, tell)
        partial.chmod(0o755)
        if options.out.is_dir():
            options.out.rmdir()
        partial.replace(options.out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    print((options.out / autograders.READ_ME).read_text("utf8"), end="")
    return 0


def _checkout(given: Path | None) -> Path:
    """The root of the course's checkout.

    Raises:
        UserError: this is none, or one that was itself handed out.
    """
    from lessons_lib.grading.reference import PACKED

    root = Path(__file__).resolve().parents[2] if given is None else given.resolve()
    if not (root / "solutions").is_dir() or not (root / "_toc.yml").is_file():
        raise UserError(f"{root} is no checkout of the course; clone it, and run its own .venv/bin/lessons handout")
    if (root / "lessons_lib/grading" / PACKED).exists():
        raise UserError(f"{root} was itself handed out; make the copy from the course's own checkout")
    return root
