"""Lesson 13: BLEU and the alignment error rate as they must be, and the mistakes that have a name.

A version of a mistake takes what the learner's function takes. Where it gives the learner's number, its sentence is the
hint.
"""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

Sentences = list[list[str]]
Link = tuple[int, int]
Sets = list[set[Link]]
Wrong = tuple[str, Callable[..., Any]]


def ngrams(words: list[str], n: int, missing: int = 0) -> Counter:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1 - missing))


def clipped(mine: Counter, theirs: Counter) -> int:
    return (mine & theirs).total()


def unclipped(mine: Counter, theirs: Counter) -> int:
    return sum(count for gram, count in mine.items() if gram in theirs)


def sums(
    translations: Sentences, references: Sentences, n: int, match: Callable = clipped, missing: int = 0
) -> tuple[int, int]:
    """Matches and n-grams of all sentences."""
    pairs = [(ngrams(t, n, missing), ngrams(r, n, missing)) for t, r in zip(translations, references, strict=True)]
    return sum(match(*pair) for pair in pairs), sum(mine.total() for mine, _ in pairs)


def brevity(translations: Sentences, references: Sentences) -> float:
    c, length = sum(map(len, translations)), sum(map(len, references))
    return 1.0 if c >= length else math.exp(1 - length / c) if c else 0.0


def geometric(precisions: list[float]) -> float:
    return math.prod(precisions) ** (1 / len(precisions))


def shares(translations: Sentences, references: Sentences, orders: int = 4, **how: Any) -> list[float]:
    return [
        matched / max(total, 1)
        for matched, total in (sums(translations, references, n, **how) for n in range(1, orders + 1))
    ]


def bleu(
    translations: Sentences, references: Sentences, average: Callable = geometric, orders: int = 4, **how: Any
) -> float:
    """Papineni et al. 2002, section 2.3; 0 where nothing of an order matches."""
    return 100 * brevity(translations, references) * average(shares(translations, references, orders, **how))


def _with_penalty(penalty: Callable[[int, int], float]) -> Callable[..., float]:
    def version(translations: Sentences, references: Sentences) -> float:
        c, length = sum(map(len, translations)), sum(map(len, references))
        return 100 * geometric(shares(translations, references)) * penalty(c, length)

    return version


def _of_sentences(translations: Sentences, references: Sentences) -> float:
    return float(np.mean([bleu([t], [r]) for t, r in zip(translations, references, strict=True)]))


def _mean_precisions(translations: Sentences, references: Sentences) -> float:
    by_sentence = [shares([t], [r]) for t, r in zip(translations, references, strict=True)]
    return 100 * brevity(translations, references) * geometric(list(np.mean(by_sentence, axis=0)))


def _pooled(translations: Sentences, references: Sentences) -> float:
    precisions = []
    for n in range(1, 5):
        mine, theirs = (sum((ngrams(s, n) for s in side), Counter()) for side in (translations, references))
        precisions.append(clipped(mine, theirs) / max(mine.total(), 1))
    return 100 * brevity(translations, references) * geometric(precisions)


def _joined(translations: Sentences, references: Sentences) -> float:
    return bleu(*([[word for sentence in side for word in sentence]] for side in (translations, references)))


def _types(translations: Sentences, references: Sentences) -> float:
    precisions = []
    for n in range(1, 5):
        pairs = [(set(ngrams(t, n)), set(ngrams(r, n))) for t, r in zip(translations, references, strict=True)]
        precisions.append(sum(len(a & b) for a, b in pairs) / max(sum(len(a) for a, _ in pairs), 1))
    return 100 * brevity(translations, references) * geometric(precisions)


def _recall(translations: Sentences, references: Sentences) -> float:
    matched = [sums(translations, references, n)[0] for n in range(1, 5)]
    total = [sums(references, references, n)[1] for n in range(1, 5)]
    return (
        100
        * brevity(translations, references)
        * geometric([m / max(t, 1) for m, t in zip(matched, total, strict=True)])
    )


def _smoothed(translations: Sentences, references: Sentences) -> float:
    precisions = [(m + 1) / (t + 1) for m, t in (sums(translations, references, n) for n in range(1, 5))]
    return 100 * brevity(translations, references) * geometric(precisions)


def _zeros_left_out(translations: Sentences, references: Sentences) -> float:
    precisions = [share for share in shares(translations, references) if share]
    return 100 * brevity(translations, references) * (geometric(precisions) if precisions else 0.0)


WRONG_BLEUS: list[Wrong] = [
    (
        "Nothing is clipped: an n-gram counts at most as often as its reference has it.",
        lambda t, r: bleu(t, r, match=unclipped),
    ),
    (
        "Each n-gram counts once, as in a set; a Counter keeps how often it is written.",
        _types,
    ),
    (
        "This is the mean of the sentences' scores: add the counts of all sentences, and divide once.",
        _of_sentences,
    ),
    (
        "The precisions are taken sentence by sentence and averaged: add the counts first, divide once.",
        _mean_precisions,
    ),
    (
        "The counts are put together before they are compared, so that a sentence is matched with another's reference.",
        _pooled,
    ),
    (
        "All sentences are joined to one: now there are n-grams that reach over the end of a sentence.",
        _joined,
    ),
    (
        "The matches are divided by the n-grams of the references: that is recall, and BLEU is made of precisions.",
        _recall,
    ),
    (
        "The four precisions are averaged by adding; BLEU takes the fourth root of their product.",
        lambda t, r: bleu(t, r, average=lambda p: sum(p) / 4),
    ),
    (
        "The fourth root is missing.",
        lambda t, r: bleu(t, r, average=math.prod),
    ),
    (
        "Only single words are counted; BLEU goes up to four words in a row.",
        lambda t, r: bleu(t, r, orders=1),
    ),
    (
        "It stops at three words in a row: range(1, 4) does not hold 4.",
        lambda t, r: bleu(t, r, orders=3),
    ),
    (
        "The last n-gram of each sentence is missing: a sentence of m words has m − n + 1 of them.",
        lambda t, r: bleu(t, r, missing=1),
    ),
    (
        "It goes from 0 to 1; BLEU goes from 0 to 100.",
        lambda t, r: bleu(t, r) / 100,
    ),
    (
        "Ones are added to the counts (smoothing), which is not asked for: without a match of an order BLEU is 0.",
        _smoothed,
    ),
    (
        "An order without a match is left out of the product; it makes BLEU 0.",
        _zeros_left_out,
    ),
    (
        "The brevity penalty is missing: translations that are too short must pay.",
        _with_penalty(lambda c, length: 1.0),
    ),
    (
        "The penalty is the wrong way round: it punishes what is longer than the references.",
        _with_penalty(lambda c, length: 1.0 if c <= length else math.exp(1 - c / length)),
    ),
    (
        "The penalty has c / ℓ where ℓ / c is due.",
        _with_penalty(lambda c, length: 1.0 if c >= length else math.exp(1 - c / length)),
    ),
    (
        "Longer translations get a bonus: the penalty is never above 1.",
        _with_penalty(lambda c, length: math.exp(1 - length / c)),
    ),
    (
        "The penalty is c / ℓ, without the exponential.",
        _with_penalty(lambda c, length: min(1.0, c / length)),
    ),
    (
        "The penalty is taken sentence by sentence; it compares the lengths of the whole test set.",
        lambda t, r: (
            100 * geometric(shares(t, r)) * float(np.mean([brevity([a], [b]) for a, b in zip(t, r, strict=True)]))
        ),
    ),
]


# --- links -----------------------------------------------------------------------------------------------------------


def links(weights: np.ndarray) -> set[Link]:
    return _largest(weights.mean(axis=0)[:-1, :-1])


def _largest(table: np.ndarray, source: int = 0, target: int = 0) -> set[Link]:
    return {(int(row.argmax()) + source, t + target) for t, row in enumerate(table)}


WRONG_LINKS: list[Wrong] = [
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
]
