"""The page of one learner: points, steps and hints, and nothing about anybody else."""

from lessons_lib.grading.batch.results import Exercise, Learner
from lessons_lib.grading.marks.questions import handed_in, missing, shown, title
from lessons_lib.grading.marks.shell import counted, page, plain, sentence, table
from lessons_lib.grading.report import MARKS, Result

SAID = {True: "passed", False: "failed", None: "not reached"}
LEGEND = (
    '<p class="soft" aria-hidden="true">✓ passed, ✗ failed, · not reached: '
    "the steps behind a failed one are not tried</p>"
)
STYLE = """
.question { border-left: .25rem solid var(--none); background: var(--card); padding: .5rem .75rem; margin: .75rem 0; }
.question.good { border-color: var(--good); } .question.poor { border-color: var(--poor); }
.question h3 { margin: 0 0 .25rem; }
.question ul { list-style: none; padding: 0; margin: 0; }
.question li { display: flex; gap: .5rem; } .question li > :first-child { flex: 0 0 1em; text-align: center; }
.question p { margin: .5rem 0 0; } .question code { background: var(--back); }
.true { color: var(--good); } .false { color: var(--poor); } .none { color: var(--soft); }
"""


def learner_page(learner: Learner, course_title: str) -> str:
    """A whole HTML document for the learner; instructors' notes and other learners are not in it."""
    absent = missing(learner)
    summary = f"<b>{learner.points} of {counted(learner.total, 'point')}</b>"
    if absent:
        summary += f"; {counted(absent, 'question')} not handed in"
    rows = [
        (
            f'<a href="#e{i}">{plain(title(each.lesson))}</a>' if each.file else plain(title(each.lesson)),
            f"{each.points} of {each.total}" if each.file else "not handed in",
        )
        for i, each in enumerate(learner.exercises, 1)
    ]
    contents = table("Exercises", ("exercise", "points"), rows, numbers=(1,)) if len(rows) > 1 else ""
    body = "\n".join(
        [
            f'<p class="soft">{plain(course_title)}</p>\n<h1><bdi>{plain(shown(learner))}</bdi></h1>\n<p>{summary}</p>',
            contents,
            *(_exercise(each, i) for i, each in enumerate(learner.exercises, 1) if each.file),
            LEGEND,
        ]
    )
    return page(f"{shown(learner)}: {course_title}", body, STYLE)


def _exercise(exercise: Exercise, place: int) -> str:
    points = f"{exercise.points} of {counted(exercise.total, 'point')}"
    head = f'<h2 id="e{place}">{plain(title(exercise.lesson))}, {points}</h2>'
    file = f'<p class="soft">From <code>{plain(exercise.file)}</code></p>'
    return "\n".join([head, file, *(_question(exercise, one) for one in exercise.results)])


def _question(exercise: Exercise, result: Result) -> str:
    kind = "good" if result.hint is None else "poor" if handed_in(exercise, result) else "absent"
    steps = "".join(
        f'<li><span class="{str(passed).lower()}" aria-hidden="true">{MARKS[passed]}</span>'
        f'<span><span class="said">{SAID[passed]}: </span>{sentence(name)}{_worth(points)}</span></li>\n'
        for name, points, passed in result.steps
    )
    hint = f"<p>→ {sentence(result.hint)}</p>\n" if result.hint else ""
    points = f"{result.points} of {counted(result.total, 'point')}"
    head = f"<h3>{plain(result.question)}: {sentence(result.title)}, {points}</h3>"
    return f'<section class="question {kind}">\n{head}\n<ul>\n{steps}</ul>\n{hint}</section>'


def _worth(points: int) -> str:
    return f' <span class="soft">({counted(points, "point")})</span>' if points else ""
