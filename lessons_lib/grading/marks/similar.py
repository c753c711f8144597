"""Pairs of learners whose answers to a question are alike, beyond what the course itself explains.

It is information, not a verdict: who learned together, or from the same page, is here too.
"""

import functools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import lessons_lib
from lessons_lib.grading.batch.results import Learner
from lessons_lib.grading.marks.fingerprints import LONGEST, grams, winnow, words
from lessons_lib.grading.reference import cut, folder, solutions

# Tried on the right answers of the tests, 190 of them: of 408 pairs to one question 4 are at or above both, and in each
# of the 4 one is an edit of the other; with all variables renamed, 158 of 158 answers that are long enough are found.
SHARE = 0.8  # of the fingerprints of the one who has fewer: from here on, two answers are shown
FEWEST = 6  # fingerprints in common: below, there are too few ways to write it for anything to be said


@dataclass(frozen=True)
class Pair:
    """Two learners with answers that are alike.

    Args:
        questions: such as `("q2", "q3")`: more than one where the same code answers them.
        shared: fingerprints that both have, without those of the course's code.
        of: fingerprints of the one who has fewer, also without.
        texts: the first learner's answer to the first of the questions, and the second's.
    """

    lesson: str
    questions: tuple[str, ...]
    first: Learner
    second: Learner
    shared: int
    of: int
    texts: tuple[str, str]


def similar(learners: Sequence[Learner]) -> list[Pair]:
    """Pairs at or above both thresholds, in the order of exercises and questions, those with most in common first."""
    every = {text for learner in learners for one in learner.exercises for text in one.answers.values()}
    prints = {text: own_fingerprints(text) for text in every} | {"": frozenset()}
    order = list(
        dict.fromkeys((one.lesson, each.question) for who in learners for one in who.exercises for each in one.results)
    )
    found: dict[tuple[str, int, int, frozenset[int]], Pair] = {}
    for lesson, question in order:
        texts = [_answer(learner, lesson, question) for learner in learners]
        for a, b in _close([prints[text] for text in texts]):
            shared = prints[texts[a]] & prints[texts[b]]
            of = min(len(prints[texts[a]]), len(prints[texts[b]]))
            known = found.get((lesson, a, b, shared))
            questions, both = (known.questions, known.texts) if known else ((), (texts[a], texts[b]))
            pair = Pair(lesson, (*questions, question), learners[a], learners[b], len(shared), of, both)
            found[lesson, a, b, shared] = pair
    place = {one: i for i, one in enumerate(order)}
    return sorted(found.values(), key=lambda pair: (place[pair.lesson, pair.questions[0]], -pair.shared))


def own_fingerprints(text: str) -> frozenset[int]:
    """What is in the text, and neither in the course's solutions nor in what it hands out.

    Empty where Python cannot read it, or where it has more than `LONGEST` characters.
    """
    if len(text) > LONGEST:
        return frozenset()
    return frozenset(one for hashes in _grams(text) for one in winnow(hashes)) - of_the_course()


@functools.cache
def of_the_course() -> frozenset[int]:
    """All hashes of the solutions, of the exercises as they are handed out, and of the library's own modules."""
    handed_out = [
        text
        for path in sorted(folder().glob("[0-9][0-9]_*.py"))
        for kind, _, text in cut(path.read_text("utf8"))
        if kind in ("answer", "setup")
    ]
    library = [path.read_text("utf8") for path in sorted(Path(lessons_lib.__file__).parent.glob("*.py"))]
    texts = (*solutions().values(), *handed_out, *library)
    return frozenset(one for text in texts for hashes in _grams(text) for one in hashes)


def _grams(text: str) -> list[list[int]]:
    """The hashes of each statement; none where Python cannot read the text."""
    try:
        return [grams(said) for said in words(text, kept=solutions())]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _answer(learner: Learner, lesson: str, question: str) -> str:
    return next((one.answers.get(question, "") for one in learner.exercises if one.lesson == lesson), "")


def _close(prints: Sequence[frozenset[int]]) -> Iterator[tuple[int, int]]:
    """Pairs of places whose fingerprints are alike, in order."""
    holders = defaultdict(list)
    for i, each in enumerate(prints):
        for one in each:
            holders[one].append(i)
    common = Counter(pair for those in holders.values() for pair in combinations(those, 2))
    for (a, b), shared in sorted(common.items()):
        if shared >= FEWEST and shared >= SHARE * min(len(prints[a]), len(prints[b])):
            yield a, b
