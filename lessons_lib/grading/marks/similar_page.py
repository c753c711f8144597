"""The page of answers that are alike, for who teaches the class."""

from collections import Counter
from collections.abc import Mapping, Sequence

from lessons_lib.grading.batch.results import Learner
from lessons_lib.grading.marks.fingerprints import LONGEST, WINDOW, K
from lessons_lib.grading.marks.questions import shown, title
from lessons_lib.grading.marks.shell import counted, page, plain, table
from lessons_lib.grading.marks.similar import FEWEST, SHARE, Pair

MOST = 200  # pairs that are shown with their answers
OFTEN = 20  # rows of learners who are alike more than once
STYLE = """
.pair { background: var(--card); padding: .5rem .75rem; margin: .75rem 0; }
.pair h3, .pair p { margin: 0; }
.pair pre { background: var(--back); }
.texts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: .5rem 1rem; }
"""


def similar_page(pairs: Sequence[Pair], course_title: str, pages: Mapping[str, str]) -> str:
    """A whole HTML document.

    Args:
        pairs: as `similar` gives them.
        pages: the address of each learner's page, by key.
    """
    body = [
        f"<h1>{plain(course_title)}: answers that are alike</h1>",
        "<p><b>This is information, not a verdict.</b> Two people who learned together, asked the same person, or read "
        "the same page write alike, and some questions have few right answers. Talk with both before you conclude "
        "anything.</p>",
        "<p>Compared is what an answer has beside the course's own code: the solutions, the exercises as they are "
        "handed out, and the library. Names, comments, texts and layout do not count. Of the syntax that is left, each "
        f"{K} words in a row are hashed, and of {WINDOW} hashes one is kept (winnowing, Schleimer et al. 2003). A pair "
        f"is shown when it has at least {FEWEST} of these fingerprints in common, and these are at least "
        f"{100 * SHARE:.0f} % of the fingerprints of the one who has fewer. A short answer never has {FEWEST}; one of "
        f"more than {LONGEST:,} characters is not compared.</p>",
        f"<p>{_number(pairs)}</p>",
        _often(pairs, pages),
    ]
    most = sorted(range(len(pairs)), key=lambda i: -pairs[i].shared)[:MOST]
    lesson = None
    for pair in (pairs[i] for i in sorted(most)):
        if pair.lesson != lesson:
            lesson = pair.lesson
            body.append(f"<h2>{plain(title(lesson))}</h2>")
        body.append(_pair(pair, pages))
    return page(f"{course_title}: answers that are alike", "\n".join(body), STYLE)


def _number(pairs: Sequence[Pair]) -> str:
    if not pairs:
        return "No two answers are alike in this sense."
    more = f"; the {MOST} with most in common are shown" if len(pairs) > MOST else ""
    return f"{counted(len(pairs), 'pair')}{more}."


def _often(pairs: Sequence[Pair], pages: Mapping[str, str]) -> str:
    """Once may be chance; who is alike in several answers is told first."""
    who = {one.key: one for pair in pairs for one in (pair.first, pair.second)}
    times = Counter((pair.first.key, pair.second.key) for pair in pairs)
    rows = [
        (f"{_name(who[first], pages)} and {_name(who[second], pages)}", str(n))
        for (first, second), n in sorted(times.items(), key=lambda item: -item[1])[:OFTEN]
        if n > 1
    ]
    return table("More than once", ("more than once", "answers"), rows, numbers=(1,)) if rows else ""


def _pair(pair: Pair, pages: Mapping[str, str]) -> str:
    both = [_name(one, pages) for one in (pair.first, pair.second)]
    texts = "".join(f"<div>{name}<pre>{plain(text)}</pre></div>" for name, text in zip(both, pair.texts, strict=True))
    return (
        f'<section class="pair"><h3>{plain(", ".join(pair.questions))}: {both[0]} and {both[1]}</h3>\n'
        f"<p>{100 * pair.shared / pair.of:.0f} %: {pair.shared} of {counted(pair.of, 'fingerprint')}</p>\n"
        f'<details><summary>Both answers</summary><div class="texts">{texts}</div></details></section>'
    )


def _name(learner: Learner, pages: Mapping[str, str]) -> str:
    return f'<a href="{plain(pages[learner.key])}"><bdi>{plain(shown(learner))}</bdi></a>'
