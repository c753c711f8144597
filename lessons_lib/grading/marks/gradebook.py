"""The gradebook: a row a learner, a column a question, for a spreadsheet."""

from collections.abc import Sequence

from lessons_lib.grading.batch.results import Exercise, Learner
from lessons_lib.grading.marks.questions import asked, handed_in, missing, number
from lessons_lib.grading.marks.tables import table

BOM = "\ufeff"  # without it, Excel reads UTF-8 as something else: José as JosÃ©


def gradebook(learners: Sequence[Learner]) -> str:
    """CSV with points; what was not handed in is an empty cell, and counts 0 in the totals.

    Columns: key, name, email, number; of each exercise its questions and its total, each with the points possible in
    brackets; the total; how many questions were not handed in, of how many.

    Raises:
        UserError: no learners, or two that were asked different questions.
    """
    exercises = asked(learners)
    header: list[str | int] = ["key", "name", "email", "number"]
    for lesson, questions in exercises.items():
        header += [f"{one.label}: {one.title} ({one.total})" for one in questions]
        header.append(f"exercise {number(lesson)} ({sum(one.total for one in questions)})")
    every = [one for questions in exercises.values() for one in questions]
    header += [f"total ({sum(one.total for one in every)})", f"not handed in ({len(every)})"]
    return BOM + table([header, *(_row(learner) for learner in learners)])


def _row(learner: Learner) -> list[str | int]:
    cells: list[str | int] = [learner.key, learner.name, learner.email, learner.number]
    for exercise in learner.exercises:
        cells += _points(exercise)
    return [*cells, learner.points, missing(learner)]


def _points(exercise: Exercise) -> list[str | int]:
    each = [one.points if handed_in(exercise, one) else "" for one in exercise.results]
    return [*each, exercise.points if exercise.file else ""]
