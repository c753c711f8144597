"""Files that Canvas and Moodle import: a row a learner, a column an exercise, and who is not in them.

Canvas: the columns, their order and what they are compared with are those of its importer,
https://github.com/instructure/canvas-lms/blob/master/lib/gradebook_importer.rb; the file in words:
https://teaching.resources.osu.edu/toolsets/carmencanvas/guides/calculating-final-grades/import-csv-file-carmen-grades.
A column whose name ends in a number in brackets is read as an assignment's id there, so ours does not. An assignment
that Canvas does not know is made, after it has asked. It rewrites what looks like a number with commas or full stops,
also in the columns that say who somebody is.

Moodle: https://docs.moodle.org/en/Grade_import, and
https://github.com/moodle/moodle/blob/main/grade/import/csv/classes/load_data.php. One learner whom it does not know
ends the whole import. A row whose identifier is empty or 0 was counted to the learner of the row before it, so no row
of ours is without one. "-" is no mark. It asks what the columns mean: map "Email address" to useremail, or "ID number"
to useridnumber, and each exercise to a grade item with its points as maximum.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lessons_lib.grading.batch.results import Learner
from lessons_lib.grading.marks.questions import asked, title
from lessons_lib.grading.marks.tables import NOTHING, is_formula, table

WHO = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POINTS_POSSIBLE = "Points Possible"
MOODLE_COLUMN = {"email": "Email address", "number": "ID number"}
Identifier = Literal["email", "number"]


@dataclass(frozen=True)
class LeftOut:
    """A learner who is not in a file, and why."""

    file: str
    learner: Learner
    why: str


def canvas(learners: Sequence[Learner]) -> tuple[str, list[LeftOut]]:
    """The CSV of Canvas's gradebook, and who is not in it.

    A learner is known by number ("SIS User ID") or email ("SIS Login ID"). "ID" is Canvas's own and stays empty. An
    exercise that was not handed in is an empty cell, which Canvas shows as no mark.

    Raises:
        UserError: no learners, or two that were asked different questions.
    """
    exercises = asked(learners)
    possible = [sum(one.total for one in questions) for questions in exercises.values()]
    rows: list[list[str | int]] = [
        [*WHO, *map(title, exercises)],
        [POINTS_POSSIBLE, "", "", "", "", *possible],
    ]
    left_out = []
    found = zip(_found(learners, "number", _rewritten), _found(learners, "email"), strict=True)
    for learner, (number, email) in zip(learners, found, strict=True):
        if not number.value and not email.value:
            left_out.append(LeftOut("canvas.csv", learner, f"{number.trouble}; {email.trouble}"))
            continue
        # A row with these words in its first cell is not a learner's to Canvas.
        name = (learner.name or learner.key).replace(POINTS_POSSIBLE, POINTS_POSSIBLE.lower())
        points = [each.points if each.file else "" for each in learner.exercises]
        rows.append([name, "", number.value, email.value, "", *points])
    return table(rows), left_out


def moodle(learners: Sequence[Learner], identifier: Identifier | None = None) -> tuple[str, list[LeftOut]]:
    """A CSV for Moodle's grade import, and who is not in it.

    Args:
        identifier: what Moodle knows a learner by; None: what more of the learners have, the email if as many.
    Raises:
        UserError: no learners, or two that were asked different questions.
    """
    exercises = asked(learners)
    if identifier is None:
        emails, numbers = (sum(bool(one.value) for one in _found(learners, which)) for which in ("email", "number"))
        identifier = "number" if numbers > emails else "email"
    rows: list[list[str | int]] = [[MOODLE_COLUMN[identifier], *map(title, exercises)]]
    left_out = []
    for learner, known in zip(learners, _found(learners, identifier), strict=True):
        if known.value:
            rows.append([known.value, *(each.points if each.file else NOTHING for each in learner.exercises)])
        else:
            left_out.append(LeftOut("moodle.csv", learner, known.trouble))
    return table(rows), left_out


def left_out_table(left_out: Sequence[LeftOut]) -> str:
    """Who is in no import file, and why, as CSV."""
    return table([["file", "key", "name", "why"], *((o.file, o.learner.key, o.learner.name, o.why) for o in left_out)])


class _Found(NamedTuple):
    """What tells a learner from all others, or why there is no such thing."""

    value: str
    trouble: str


def _found(
    learners: Sequence[Learner], which: Identifier, refused: Callable[[str], bool] = lambda value: False
) -> list[_Found]:
    values = [getattr(learner, which).strip() for learner in learners]
    times = Counter(value.casefold() for value in values)
    found = []
    for value in values:
        if not value:
            trouble = f"no {which}: give a roster with it"
        elif times[value.casefold()] > 1:
            trouble = f"the {which} {value!r} is that of two learners: mend the roster"
        elif is_formula(value):
            trouble = f"the {which} {value!r} is a formula to a spreadsheet: mend the roster"
        elif not value.strip("0") or refused(value):
            trouble = f"the {which} {value!r} would be read as another: use what the platform has for this learner"
        else:
            found.append(_Found(value, ""))
            continue
        found.append(_Found("", trouble))
    return found


def _rewritten(number: str) -> bool:
    """Whether Canvas reads another number than is written."""
    return bool(re.fullmatch(r"[0-9.,]*[.,][0-9.,]*%?", number))
