"""Lesson 13: links and the alignment error rate as they must be, and the mistakes in them that have a name.

A version of a mistake takes what the learner's function takes. Where it gives the learner's links or number, its
sentence is the hint.
"""

from collections.abc import Callable

import numpy as np

from lessons_lib.grading.judge.variations import Axes
from lessons_lib.grading.lesson_13.mistakes import Wrong

Link = tuple[int, int]
Sets = list[set[Link]]


def links(weights: np.ndarray) -> set[Link]:
    return _largest(weights.mean(axis=0)[:-1, :-1])


def _largest(table: np.ndarray, source: int = 0, target: int = 0) -> set[Link]:
    return {(int(row.argmax()) + source, t + target) for t, row in enumerate(table)}


WRONG_LINKS: list[Wrong] = [
    (
        "The table is turned on its side: its rows are the steps, which write French words, its columns English ones.",
        lambda w: _largest(w.mean(axis=0)[:-1, :-1].T),
    ),
    (
        "The links are read one step late: word t is written at step t, and read at step t + 1.",
        lambda w: _largest(w.mean(axis=0)[1:, :-1]),
    ),
    (
        "Some links go to the English </s>, which is no word: cut off the last column before the argmax.",
        lambda w: _largest(w.mean(axis=0)[:-1]),
    ),
    (
        "The French </s> is linked too: the last step writes no word.",
        lambda w: _largest(w.mean(axis=0)[:, :-1]),
    ),
    (
        "Both </s> are taken for words.",
        lambda w: _largest(w.mean(axis=0)),
    ),
    (
        "The pairs are the wrong way round: the English word comes first.",
        lambda w: {(t, s) for s, t in links(w)},
    ),
    (
        "Only the first head is read; take the mean over the heads.",
        lambda w: _largest(w[0, :-1, :-1]),
    ),
    (
        "Only the last head is read; take the mean over the heads.",
        lambda w: _largest(w[-1, :-1, :-1]),
    ),
    (
        "The largest weight of any head decides; take the mean over the heads.",
        lambda w: _largest(w.max(axis=0)[:-1, :-1]),
    ),
    (
        "Each English word is linked to a French one; it is each French word that gets a link.",
        lambda w: {(s, int(column.argmax())) for s, column in enumerate(w.mean(axis=0)[:-1, :-1].T)},
    ),
    (
        "The words are counted from 1.",
        lambda w: _largest(w.mean(axis=0)[:-1, :-1], 1, 1),
    ),
    (
        "The first English word is left out; </s> is the last column, not the first.",
        lambda w: _largest(w.mean(axis=0)[:-1, 1:]),
    ),
    (
        "The last English word is left out: only the last column, </s>, is no word.",
        lambda w: _largest(w.mean(axis=0)[:-1, :-2]),
    ),
    (
        "The last French word has no link: only the last step, which writes </s>, writes no word.",
        lambda w: _largest(w.mean(axis=0)[:-2, :-1]),
    ),
    (
        "The first French word has no link, and the others have its number: step 0 writes word 0.",
        lambda w: _largest(w.mean(axis=0)[1:-1, :-1]),
    ),
    (
        "The mean is taken over the steps; the heads are the first axis, axis=0.",
        lambda w: _largest(w.mean(axis=1)[:-1, :-1]),
    ),
    (
        "The mean is taken over the English words; the heads are the first axis, axis=0.",
        lambda w: _largest(w.mean(axis=2)[:-1, :-1]),
    ),
    (
        "The heads are taken for the French words: first the mean over the heads, axis=0.",
        lambda w: _largest(w[:-1, :-1]),
    ),
    (
        "The heads are taken for the French words, each with its whole table: first the mean over the heads, axis=0.",
        lambda w: {(int(table.argmax()), t) for t, table in enumerate(w)},
    ),
    (
        "A French word whose largest weight is at the English </s> has no link: cut that column off before the argmax.",
        lambda w: {(s, t) for s, t in _largest(w.mean(axis=0)[:-1]) if s < w.shape[2] - 1},
    ),
    (
        "The first step and the first English word are cut off; the </s> of either side is the last.",
        lambda w: _largest(w.mean(axis=0)[1:, 1:]),
    ),
    (
        "The smallest weight makes the link; it is the largest.",
        lambda w: {(int(row.argmin()), t) for t, row in enumerate(w.mean(axis=0)[:-1, :-1])},
    ),
    (
        "The English words are counted from 1.",
        lambda w: _largest(w.mean(axis=0)[:-1, :-1], source=1),
    ),
    (
        "The French words are counted from 1.",
        lambda w: _largest(w.mean(axis=0)[:-1, :-1], target=1),
    ),
]


# --- alignment error rate --------------------------------------------------------------------------------------------


def overlap(found: Sets, gold: Sets) -> int:
    return sum(len(a & g) for a, g in zip(found, gold, strict=True))


def size(sets: Sets) -> int:
    return sum(map(len, sets))


def error_rate(found: Sets, sure: Sets, possible: Sets) -> float:
    """Och and Ney 2003, section 6."""
    return 1 - (overlap(found, sure) + overlap(found, possible)) / (size(found) + size(sure))


def _united(sets: Sets) -> Sets:
    return [set().union(*sets)]


WRONG_RATES: list[Wrong] = [
    (
        "The possible links are not used: a found link that is only possible is right.",
        lambda a, s, p: error_rate(a, s, s),
    ),
    (
        "The sure links are not used in the numerator: it is |A ∩ S| + |A ∩ P|.",
        lambda a, s, p: 1 - 2 * overlap(a, p) / (size(a) + size(s)),
    ),
    (
        "|A ∩ S| is missing in the numerator.",
        lambda a, s, p: 1 - overlap(a, p) / (size(a) + size(s)),
    ),
    (
        "|A ∩ P| is missing in the numerator.",
        lambda a, s, p: 1 - overlap(a, s) / (size(a) + size(s)),
    ),
    (
        "The denominator has |P| where |S| is due.",
        lambda a, s, p: 1 - (overlap(a, s) + overlap(a, p)) / max(size(a) + size(p), 1),
    ),
    (
        "This is 1 − precision: how many of the sure links were found must count too.",
        lambda a, s, p: 1 - overlap(a, p) / max(size(a), 1),
    ),
    (
        "This is 1 − recall: how many of the found links are right must count too.",
        lambda a, s, p: 1 - overlap(a, s) / max(size(s), 1),
    ),
    (
        "This is the agreement, 1 for perfect; the error rate is 1 minus it.",
        lambda a, s, p: 1 - error_rate(a, s, p),
    ),
    (
        "It is in percent; the error rate goes from 0 to 1.",
        lambda a, s, p: 100 * error_rate(a, s, p),
    ),
    (
        "This is the mean of the sentences' rates: add the counts of all sentences, and divide once.",
        lambda a, s, p: float(np.mean([error_rate([x], [y], [z]) for x, y, z in zip(a, s, p, strict=True)])),
    ),
    (
        "The sets of all sentences are put into one, where (0, 0) of one sentence is (0, 0) of another.",
        lambda a, s, p: error_rate(_united(a), _united(s), _united(p)),
    ),
    (
        "Only the first sentence is counted.",
        lambda a, s, p: error_rate(a[:1], s[:1], p[:1]),
    ),
    (
        "Only the last sentence is counted.",
        lambda a, s, p: error_rate(a[-1:], s[-1:], p[-1:]),
    ),
    (
        "The links found and the sure ones are exchanged.",
        lambda a, s, p: error_rate(s, a, p),
    ),
    (
        "|S| is missing in the denominator: it is |A| + |S|.",
        lambda a, s, p: 1 - (overlap(a, s) + overlap(a, p)) / max(size(a), 1),
    ),
    (
        "The denominator is 2 |A|; it is |A| + |S|.",
        lambda a, s, p: 1 - (overlap(a, s) + overlap(a, p)) / max(2 * size(a), 1),
    ),
    (
        "|A| is missing in the denominator: it is |A| + |S|.",
        lambda a, s, p: 1 - (overlap(a, s) + overlap(a, p)) / max(size(s), 1),
    ),
    (
        "The denominator holds |P| besides |A| + |S|.",
        lambda a, s, p: 1 - (overlap(a, s) + overlap(a, p)) / max(size(a) + size(s) + size(p), 1),
    ),
    (
        "The denominator is |A ∪ S|, where a link of both counts once; add |A| and |S|.",
        lambda a, s, p: 1 - (overlap(a, s) + overlap(a, p)) / max(size(a) + size(s) - overlap(a, s), 1),
    ),
    (
        "The division is upside down: the links that are right stand above, |A| + |S| below.",
        lambda a, s, p: 1 - (size(a) + size(s)) / (overlap(a, s) + overlap(a, p)),
    ),
    (
        "The rate is added to 1; it is 1 minus the share.",
        lambda a, s, p: 2 - error_rate(a, s, p),
    ),
    (
        "The difference is the wrong way round: it is 1 minus the share, not the share minus 1.",
        lambda a, s, p: -error_rate(a, s, p),
    ),
    (
        "|A ∩ P| is subtracted in the numerator; it is added.",
        lambda a, s, p: 1 - (overlap(a, s) - overlap(a, p)) / (size(a) + size(s)),
    ),
    (
        "Unions are counted (|) where intersections are due (&).",
        lambda a, s, p: (
            1 - (size(a) + size(s) - overlap(a, s) + size(a) + size(p) - overlap(a, p)) / (size(a) + size(s))
        ),
    ),
    (
        "In the numerator |A ∩ P| is taken to be |A|: a link that is not possible is wrong.",
        lambda a, s, p: 1 - (overlap(a, s) + size(a)) / (size(a) + size(s)),
    ),
    (
        "In the numerator |A ∩ S| is taken to be |S|: only the sure links that were found count.",
        lambda a, s, p: 1 - (size(s) + overlap(a, p)) / (size(a) + size(s)),
    ),
]


def in_numbers(found: Sets, sure: Sets, possible: Sets) -> str:
    """The error rate with its four sizes, as a phrase."""
    a_s, a_p, a, s = overlap(found, sure), overlap(found, possible), size(found), size(sure)
    return f"|A ∩ S| = {a_s}, |A ∩ P| = {a_p}, |A| = {a}, |S| = {s}: 1 − ({a_s} + {a_p}) / ({a} + {s})"


def chosen_rate(
    found: Sets,
    sure: Sets,
    possible: Sets,
    *,
    right: Callable = lambda a, s, p: overlap(a, s) + overlap(a, p),
    due: Callable = lambda a, s, p: size(a) + size(s),
    share: Callable = lambda right, due: 1 - right / due,
) -> float:
    """The error rate; the keywords make a choice otherwise."""
    return share(right(found, sure, possible), due(found, sure, possible))


# To be found beside a second wrong choice; most stand above, alone.
RATE_AXES: Axes = {
    "right": [
        (
            "Unions are counted (|) where intersections are due (&).",
            lambda a, s, p: sum(len(x | y) + len(x | z) for x, y, z in zip(a, s, p, strict=True)),
        ),
        (
            "The possible links are not used: a found link that is only possible is right.",
            lambda a, s, p: 2 * overlap(a, s),
        ),
        ("|A ∩ S| is missing in the numerator.", lambda a, s, p: overlap(a, p)),
        ("|A ∩ P| is missing in the numerator.", lambda a, s, p: overlap(a, s)),
    ],
    "due": [
        ("The denominator has |P| where |S| is due.", lambda a, s, p: size(a) + size(p)),
        ("The denominator holds |P| besides |A| + |S|.", lambda a, s, p: size(a) + size(s) + size(p)),
    ],
    "share": [
        ("This is the agreement, 1 for perfect; the error rate is 1 minus it.", lambda right, due: right / due),
    ],
}
