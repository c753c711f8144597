"""`lessons grade`."""

import argparse
import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lessons_lib.errors import UserError

HELP = """\
Grade the exercises that a class has handed in, and write the points and hints.

  lessons grade submissions --out report                    a folder, in it a folder for each learner
  lessons grade submissions.zip --out report --roster class.csv
  lessons grade anna_03_multi_head_attention.ipynb --out report
  lessons grade submissions --out report --lessons 1-8 --require-isolation

No notebook is run. The answer to each question is taken out of the cells by its name, and called in a process of its
own, which has no network, no files but Python's, no time and memory without end, where the system lets it be shut in
so: the first line says what holds here. What a question builds on is the course's, so that one mistake costs once.

In the report: class.html, a page for each learner, similar.html (answers that are alike), gradebook.csv, files for
Canvas and Moodle, and a results.json for Gradescope. A run that was stopped goes on where it was when the same command
is given again, with the same seed; hand-ins that came later are graded then, too.

`--class class.toml` gives the questions the points of your class (see `lessons handout`). The roster is a CSV with a
column key (the learner's folder, or the name before the exercise's in the file), and name, email, number, as far as
you have them.
"""
ISOLATION_FAILS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons grade`."""
    parser.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="a folder, a zip, or one notebook")
    parser.add_argument("--out", type=Path, required=True, metavar="REPORT", help="the folder to write")
    parser.add_argument("--lessons", metavar="LIST", help="which exercises are graded, such as 1-8 or 1,3,5; all")
    parser.add_argument("--class", type=Path, dest="edition", metavar="TOML", help="the class's points and questions")
    parser.add_argument("--extra-checks", type=Path, metavar="DIR", help="checks of your own, a .py file each")
    parser.add_argument("--learner", metavar="NAME", help="all of SUBMISSIONS is this one's, in whatever folders")
    parser.add_argument("--roster", type=Path, metavar="CSV", help="the learners of the class")
    parser.add_argument("--seed", type=int, help="of the inputs; else one is drawn, and kept with the report")
    parser.add_argument("--processes", type=int, metavar="N", help="how many at a time; one for each core")
    parser.add_argument(
        "--require-isolation", action="store_true", help="stop, if an answer could reach the network or your files"
    )
    parser.add_argument("--json", action="store_true", help="points as one line of JSON, no progress bar")


def run(options: argparse.Namespace) -> int:
    """Grade; the exit code: 3 if isolation is required and cannot be had."""
    from lessons_lib.grading import edition
    from lessons_lib.grading.batch import box, extra, handins
    from lessons_lib.grading.batch.batch import kept_seed
    from lessons_lib.grading.batch.batch import run as run_batch

    level = box.level()
    print(f"isolation: {level.sentence}", file=sys.stderr)
    if options.require_isolation and not level.isolated:
        print("lessons: --require-isolation: not graded; use Linux with user namespaces", file=sys.stderr)
        return ISOLATION_FAILS
    if options.out.exists() and not options.out.is_dir():
        raise UserError(f"{options.out} is a file; give a folder for --out")
    if options.edition:
        edition.use(edition.read(options.edition))
    extra.use(extra.read(options.extra_checks) if options.extra_checks else [])
    for check in extra.of():
        if edition.current().left_out(check.lesson, check.question):
            raise UserError(f"the extra check {check.name}: {options.edition} leaves out {check.asks}; take it away")
    wanted = edition.numbers(options.lessons) if options.lessons else edition.current().lessons
    lessons = _lessons(wanted)
    roster = handins.read_roster(options.roster) if options.roster else {}
    found, notes = handins.find(options.submissions, lessons, options.learner)
    for note in notes:
        print(f"lessons: {note}", file=sys.stderr)
    _tell_other_editions(found)
    found = handins.by_roster(found, roster)
    found |= {key: {} for key in handins.missing(found, roster)}
    unknown = [key for key in found if roster and key not in roster]
    if unknown:
        print(f"lessons: not in the roster, graded all the same: {', '.join(unknown)}", file=sys.stderr)
    if options.lessons is None:  # what nobody has handed in was not asked for
        lessons = [lesson for lesson in lessons if any(lesson in theirs for theirs in found.values())] or lessons
    seed = kept_seed(options.out, options.seed)
    with _progress(options.json) as tell:
        learners = run_batch(found, lessons, options.out, level, seed, options.processes, tell)
    learners = [dataclasses.replace(one, **roster.get(one.key, {})) for one in learners]

    from lessons_lib.grading.marks import write_reports

    write_reports(learners, options.out, edition.current().name)
    if options.json:
        print(json.dumps({one.key: {each.lesson: each.points for each in one.exercises} for one in learners}))
    else:
        share = sum(one.points for one in learners) / max(1, sum(one.total for one in learners))
        many = f"{len(learners)} learner{'s' * (len(learners) != 1)}"
        print(f"{many}, {share:.0%} of the points; see {options.out / 'class.html'}")
    return 0


def _tell_other_editions(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Hand-ins of a class's copy, graded with other points than it has."""
    from lessons_lib.grading import edition

    names = {one.edition for theirs in found.values() for one in theirs.values()} - {None, edition.current().name}
    for name in sorted(filter(None, names)):
        print(f"lessons: there are hand-ins of {name!r}; give its class.toml with --class", file=sys.stderr)


def _lessons(wanted: tuple[int, ...] | None) -> list[str]:
    """The names of these exercises, in the order of the course; of all where none is named."""
    from lessons_lib.grading.batch.answers import exercises

    return [name for name in exercises() if wanted is None or int(name[:2]) in wanted]


@contextlib.contextmanager
def _progress(silent: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, if people watch; what it gives is told how many of how many are done."""
    from tqdm import tqdm

    with tqdm(unit="hand-in", disable=silent or None, file=sys.stderr) as bar:

        def tell(done: int, all_: int) -> None:
            bar.total = all_
            bar.update(done - bar.n)
            bar.refresh()

        yield tell
