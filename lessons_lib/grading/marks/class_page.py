"""The page of the class, for who teaches it: where it stands, what goes wrong most, and who is stuck where."""

from collections import Counter
from collections.abc import Mapping, Sequence

from lessons_lib.grading.batch.results import Learner
from lessons_lib.grading.marks.histogram import STYLE, histogram
from lessons_lib.grading.marks.learning_platforms import LeftOut
from lessons_lib.grading.marks.questions import Question, asked, handed_in, missing, shown, title
from lessons_lib.grading.marks.shell import counted, page, plain, sentence, table

LEAST, HINTS = 10, 20  # rows of "who is stuck where", and of the commonest hints
LABELS = 6  # questions that a row of a learner names
OWN = """
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: 1rem; }
.pictures figure { margin: 0; background: var(--card); padding: .5rem .75rem; }
figcaption { font-size: .875rem; margin-bottom: .25rem; }
"""

Answers = dict[Question, list[int | None]]  # of each question the points of each learner, None: not handed in


def class_page(
    learners: Sequence[Learner],
    course_title: str,
    pages: Mapping[str, str],
    files: Mapping[str, str],
    left_out: Sequence[LeftOut] = (),
) -> str:
    """A whole HTML document.

    Args:
        pages: the address of each learner's page, by key.
        files: addresses of other files of the report, and what they are.
        left_out: who is not in the import files.
    Raises:
        UserError: no learners, or two that were asked different questions.
    """
    answers = _answers(learners)
    total = learners[0].total
    mean = sum(learner.points for learner in learners) / len(learners)
    absent, every = sum(missing(learner) for learner in learners), len(learners) * len(answers)
    listed = "".join(f'<li><a href="{plain(where)}">{plain(what)}</a></li>' for where, what in files.items())
    body = [
        f"<h1>{plain(course_title)}: the class</h1>",
        f"<p>{counted(len(learners), 'learner')}, on average {mean:.1f} of {counted(total, 'point')}; "
        f"{absent:,} of {counted(every, 'answer')} not handed in.</p>\n<ul>{listed}</ul>",
        _notes(learners, left_out, pages),
        "<h2>Who is stuck where</h2>",
        _least_learners(learners, pages),
        _least_questions(answers),
        "<h2>Commonest hints</h2>",
        _hints(learners),
        "<h2>Points of each question</h2>\n"
        '<p class="soft">Below each bar the points, above it the learners who have them; none: not handed in.</p>',
        _pictures(answers),
        "<h2>All learners</h2>",
        _everybody(learners, pages),
    ]
    return page(f"{course_title}: the class", "\n".join(part for part in body if part), STYLE + OWN)


def _answers(learners: Sequence[Learner]) -> Answers:
    answers: Answers = {one: [] for questions in asked(learners).values() for one in questions}
    for learner in learners:
        results = [(each, one) for each in learner.exercises for one in each.results]
        for points, (exercise, one) in zip(answers.values(), results, strict=True):
            points.append(one.points if handed_in(exercise, one) else None)
    return answers


def _link(learner: Learner, pages: Mapping[str, str]) -> str:
    key = f' <span class="soft"><bdi>{plain(learner.key)}</bdi></span>' if learner.name not in ("", learner.key) else ""
    return f'<a href="{plain(pages[learner.key])}"><bdi>{plain(shown(learner))}</bdi></a>{key}'


def _notes(learners: Sequence[Learner], left_out: Sequence[LeftOut], pages: Mapping[str, str]) -> str:
    """What needs a person: notes of the grader, and learners whom an import file does not have."""
    noted = [
        f"<li>{_link(learner, pages)}, {plain(title(each.lesson))}: {sentence(note)}</li>"
        for learner in learners
        for each in learner.exercises
        for note in each.notes
    ]
    absent = [f"<li>{_link(one.learner, pages)}, {plain(one.file)}: {sentence(one.why)}</li>" for one in left_out]
    parts = [f"<p>From the grader:</p>\n<ul>{''.join(noted)}</ul>"] if noted else []
    if absent:
        parts.append(
            f"<details><summary>{counted(len({one.learner.key for one in left_out}), 'learner')} not in an import "
            f"file</summary>\n<ul>{''.join(absent)}</ul></details>"
        )
    return "\n".join(["<h2>To look at</h2>", *parts]) if parts else ""


def _least_learners(learners: Sequence[Learner], pages: Mapping[str, str]) -> str:
    behind = sorted((one for one in learners if one.points < one.total), key=lambda one: one.points)[:LEAST]
    if not behind:
        return "<p>Every learner has all points.</p>"
    rows = [(_link(one, pages), f"{one.points} of {one.total}", str(missing(one)), _stuck(one)) for one in behind]
    return "<h3>Learners with least</h3>\n" + table(
        "Learners with least", ("learner", "points", "not handed in", "answered, not right"), rows, numbers=(1, 2)
    )


def _stuck(learner: Learner) -> str:
    wrong = [
        Question(each.lesson, one.question, one.title, one.total).label.replace(" ", "\u00a0")
        for each in learner.exercises
        for one in each.results
        if one.hint is not None and handed_in(each, one)
    ]
    more = f" and {len(wrong) - LABELS} more" if len(wrong) > LABELS else ""
    return plain(", ".join(wrong[:LABELS]) + more) or "–"


def _least_questions(answers: Answers) -> str:
    rated = []
    for question, points in answers.items():
        there = [n for n in points if n is not None]
        share = sum(there) / (len(there) * question.total) if there and question.total else 1.0
        if share < 1:
            full = f"{sum(n == question.total for n in there)} of {len(there)}"
            rated.append((share, f"{plain(question.label)}: {sentence(question.title)}", full))
    if not rated:
        return ""
    rows = [(name, f"{100 * share:.0f} %", full) for share, name, full in sorted(rated, key=lambda row: row[0])[:LEAST]]
    return "<h3>Questions with least</h3>\n" + table(
        "Questions with least", ("question", "of its points", "all points, of who answered"), rows, numbers=(1, 2)
    )


def _hints(learners: Sequence[Learner]) -> str:
    counts = Counter(
        (Question(each.lesson, one.question, one.title, one.total).label, one.hint)
        for learner in learners
        for each in learner.exercises
        for one in each.results
        if one.hint is not None and handed_in(each, one)
    )
    if not counts:
        return "<p>Nobody got a hint.</p>"
    common = sorted(counts.items(), key=lambda item: -item[1])  # as often: in the order of the learners
    rows = [(plain(label), str(n), sentence(hint)) for (label, hint), n in common[:HINTS]]
    more = f'\n<p class="soft">And {counted(len(common) - HINTS, "other hint")}.</p>' if len(common) > HINTS else ""
    return table("Commonest hints", ("question", "learners", "hint"), rows, numbers=(1,)) + more


def _pictures(answers: Answers) -> str:
    drawn: list[str] = []
    lesson = None
    for i, (question, points) in enumerate(answers.items(), 1):
        if question.lesson != lesson:
            lesson = question.lesson
            drawn.append(("</div>\n" if drawn else "") + f'<h3>{plain(title(lesson))}</h3>\n<div class="pictures">')
        drawn.append(
            f"<figure><figcaption>{plain(question.name)}: {sentence(question.title)}</figcaption>"
            f"{histogram(points, question.total, f'h{i}')}</figure>"
        )
    return "\n".join([*drawn, "</div>"]) if drawn else ""


def _everybody(learners: Sequence[Learner], pages: Mapping[str, str]) -> str:
    rows = [(_link(one, pages), f"{one.points} of {one.total}", str(missing(one))) for one in learners]
    return table("All learners", ("learner", "points", "not handed in"), rows, numbers=(1, 2))
