"""Lesson 13: BLEU as it must be, and the mistakes in it that have a name.

A version of a mistake takes what the learner's function takes. Where it gives the learner's number, its sentence is the
hint.
"""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from lessons_lib.grading.judge.variations import Axes

Sentences = list[list[str]]
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


def _negative(translations: Sentences, references: Sentences) -> float:
    """m − n + 1 n-grams in each translation, also where that is below 0."""
    precisions = []
    for n in range(1, 5):
        matched, total = sums(translations, references, n)[0], sum(len(t) - n + 1 for t in translations)
        if not matched:
            return 0.0
        precisions.append(matched / total)
    return 100 * brevity(translations, references) * geometric(precisions)


def _all_references(translations: Sentences, references: Sentences) -> float:
    """Each translation is compared with the references of all sentences."""
    precisions = []
    for n in range(1, 5):
        mine, theirs = ([ngrams(s, n) for s in side] for side in (translations, references))
        every = sum(theirs, Counter())
        precisions.append(sum(clipped(t, every) for t in mine) / max(sum(t.total() for t in mine), 1))
    return 100 * brevity(translations, references) * geometric(precisions)


def _types_below(translations: Sentences, references: Sentences) -> float:
    """Each different n-gram of a translation counts once in the denominator."""
    precisions = []
    for n in range(1, 5):
        different = sum(len(ngrams(t, n)) for t in translations)
        precisions.append(sums(translations, references, n)[0] / max(different, 1))
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


def _last(which: str) -> Callable[..., float]:
    """Only the last sentence is in one of the sums: `=` stands where `+=` is due."""

    def version(translations: Sentences, references: Sentences) -> float:
        end = slice(-1, None)
        sides = {True: (translations[end], references[end]), False: (translations, references)}
        matched = [sums(*sides[which == "matched"], n)[0] for n in range(1, 5)]
        total = [sums(*sides[which == "total"], n)[1] for n in range(1, 5)]
        c = sum(map(len, sides[which == "c"][0]))
        length = sum(map(len, sides[which == "length"][1]))
        if 0 in matched:
            return 0.0
        penalty = 1.0 if c >= length else math.exp(1 - length / c)
        return 100 * penalty * geometric([m / t for m, t in zip(matched, total, strict=True)])

    return version


def _wider(translations: Sentences, references: Sentences) -> float:
    """`range(len(words))`: the last n-grams are cut short."""
    precisions = []
    for n in range(1, 5):
        pairs = [
            [Counter(tuple(words[i : i + n]) for i in range(len(words))) for words in pair]
            for pair in zip(translations, references, strict=True)
        ]
        precisions.append(sum(clipped(*pair) for pair in pairs) / max(sum(mine.total() for mine, _ in pairs), 1))
    return 100 * brevity(translations, references) * geometric(precisions)


def _glued(translations: Sentences, references: Sentences) -> float:
    """N-grams as texts without a gap: "la vache" is "lav ache"."""

    def count(words: list[str], n: int) -> Counter:
        return Counter("".join(gram) for gram in ngrams(words, n).elements())

    precisions = []
    for n in range(1, 5):
        pairs = [(count(t, n), count(r, n)) for t, r in zip(translations, references, strict=True)]
        precisions.append(sum(clipped(*pair) for pair in pairs) / max(sum(mine.total() for mine, _ in pairs), 1))
    return 100 * brevity(translations, references) * geometric(precisions)


def _spelt(change: Callable[[str], str]) -> Callable[..., float]:
    """Each word is changed before it is compared; one of which nothing stays is gone."""

    def version(translations: Sentences, references: Sentences) -> float:
        sides = ([[change(w) for w in s if change(w)] for s in side] for side in (translations, references))
        return bleu(*sides)

    return version


def _letters(between: str) -> Callable[..., float]:
    """The n-grams of a text, made of the words or of the list as it is printed."""
    return lambda t, r: bleu(*([list(between.join(words)) for words in side] for side in (t, r)))


def _without_short(least: int) -> Callable[..., float]:
    """The sentences whose translation has fewer words are left out."""

    def version(translations: Sentences, references: Sentences) -> float:
        kept = [pair for pair in zip(translations, references, strict=True) if len(pair[0]) >= least]
        return bleu([t for t, _ in kept], [r for _, r in kept])

    return version


def _only_words(translations: Sentences, references: Sentences) -> float:
    """The matches of each order are divided by the number of words."""
    total = sum(map(len, translations))
    precisions = [sums(translations, references, n)[0] / max(total, 1) for n in range(1, 5)]
    return 100 * brevity(translations, references) * geometric(precisions)


def in_parts(translations: Sentences, references: Sentences) -> str:
    """What BLEU is made of, as a phrase."""
    counts = [sums(translations, references, n) for n in range(1, 5)]
    said = ", ".join(f"{matched} of {total}" for matched, total in counts)
    return f"{said} n-grams match (n = 1 to 4), c = {sum(map(len, translations))}, ℓ = {sum(map(len, references))}"


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
        "Each n-gram that matches counts once: `len(a & b)` counts the different ones, `(a & b).total()` all of them.",
        lambda t, r: bleu(t, r, match=lambda mine, theirs: len(mine & theirs)),
    ),
    (
        "The denominator counts each different n-gram once; it counts all that are written.",
        _types_below,
    ),
    (
        "The n-grams are compared with the references of all sentences; each translation has its own.",
        _all_references,
    ),
    (
        "A translation of m < n words has no n-grams; m − n + 1 is below 0 there, and makes the sum too small.",
        _negative,
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
        "It stops at three words in a row, under a fourth root: range(1, 4) does not hold 4.",
        lambda t, r: bleu(t, r, orders=3, average=lambda p: math.prod(p) ** (1 / 4)),
    ),
    (
        "Only the runs of four words count: `*=` multiplies, `=` replaces.",
        lambda t, r: bleu(t, r, average=lambda p: p[-1] ** (1 / 4)),
    ),
    (
        "The last n-gram of each sentence is missing: a sentence of m words has m − n + 1 of them.",
        lambda t, r: bleu(t, r, missing=1),
    ),
    (
        "Capitals are made small; a word is the same only if it is written the same.",
        _spelt(str.lower),
    ),
    (
        "Punctuation is left out; a mark is a word like all others.",
        _spelt(lambda word: word.strip(".,!?")),
    ),
    (
        "The words of an n-gram are joined to a text without a gap, so that “la vache” is “lav ache”: count tuples.",
        _glued,
    ),
    (
        "The n-grams are made of letters: a sentence is a list of words, and stays one.",
        _letters(" "),
    ),
    (
        "The n-grams are made of letters, and the words run together: a sentence is a list of words, and stays one.",
        _letters(""),
    ),
    (
        "The matches of each order are divided by the number of words; of n-grams there are fewer, m − n + 1.",
        _only_words,
    ),
    *(
        ("The result is rounded; return it as it is.", lambda t, r, d=digits: round(bleu(t, r), d))
        for digits in (0, 1, 2, 3)
    ),
    *(
        (
            f"The precisions are rounded to {digits} digits before they are multiplied; leave them as they are.",
            lambda t, r, d=digits: bleu(t, r, average=lambda p: geometric([round(share, d) for share in p])),
        )
        for digits in (2, 3)
    ),
    *(
        (
            f"In the penalty ℓ / c is {what}; leave it as it is.",
            _with_penalty(lambda c, length, cut=cut: 1.0 if c >= length else math.exp(1 - cut(length / c))),
        )
        for what, cut in (
            ("rounded to 1 digit", lambda ratio: round(ratio, 1)),
            ("rounded to 2 digits", lambda ratio: round(ratio, 2)),
        )
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
        "The brevity penalty is missing, or always 1 (is ℓ / c cut to a whole number, as by //?): translations that "
        "are too short must pay.",
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
        "Longer translations pay too; the penalty is 1 for them, whatever their length.",
        _with_penalty(lambda c, length: math.exp(-abs(1 - length / c))),
    ),
    (
        "Longer translations get a bonus: the penalty is never above 1.",
        _with_penalty(lambda c, length: math.exp(1 - length / c)),
    ),
    (
        "Translations without a word are left out, their references too; they have no n-grams, but count in ℓ.",
        _without_short(1),
    ),
    (
        "Translations of fewer than four words are left out; they lack some n-grams only, and count in c and ℓ.",
        _without_short(4),
    ),
    (
        "The penalty is c / ℓ, without the exponential.",
        _with_penalty(lambda c, length: min(1.0, c / length)),
    ),
    (
        "A sentence that is longer than its reference makes up for no other one: c is cut to ℓ in each; c counts all "
        "words.",
        lambda t, r: (
            100
            * geometric(shares(t, r))
            * math.exp(1 - sum(map(len, r)) / sum(min(len(a), len(b)) for a, b in zip(t, r, strict=True)))
        ),
    ),
    (
        "The penalty is taken sentence by sentence; it compares the lengths of the whole test set.",
        lambda t, r: (
            100 * geometric(shares(t, r)) * float(np.mean([brevity([a], [b]) for a, b in zip(t, r, strict=True)]))
        ),
    ),
    (
        "Translations and references are exchanged: precision is about what the translation says.",
        lambda t, r: bleu(r, t),
    ),
    (
        "Every n-gram of a translation counts as right: only those that its reference has, too, are matches.",
        lambda t, r: bleu(t, r, match=lambda mine, theirs: mine.total()),
    ),
    (
        "All n-grams of the references are taken for matches: compare them with those of the translation.",
        lambda t, r: bleu(t, r, match=lambda mine, theirs: theirs.total()),
    ),
    (
        "The larger of the two counts is taken; clipping takes the smaller.",
        lambda t, r: bleu(t, r, match=lambda mine, theirs: (mine | theirs).total()),
    ),
    (
        "The last n-grams of each sentence are cut short: the first word of one is at most word m − n.",
        _wider,
    ),
    (
        "The matches are those of the last sentence alone: `+=` adds, `=` replaces.",
        _last("matched"),
    ),
    (
        "The n-grams in the denominator are those of the last sentence alone: `+=` adds, `=` replaces.",
        _last("total"),
    ),
    (
        "c holds the words of the last translation alone: `+=` adds, `=` replaces.",
        _last("c"),
    ),
    (
        "ℓ holds the words of the last reference alone: `+=` adds, `=` replaces.",
        _last("length"),
    ),
    (
        "The product is multiplied by 1/4: the power `** (1 / 4)` is the fourth root.",
        lambda t, r: bleu(t, r, average=lambda p: math.prod(p) / 4),
    ),
    (
        "The precisions go up to five words in a row; BLEU stops at four.",
        lambda t, r: bleu(t, r, orders=5),
    ),
    (
        "The orders go from 0 to 3, and each 0-gram matches; words in a row are counted from 1 to 4.",
        lambda t, r: 100 * brevity(t, r) * geometric([m / max(n, 1) for m, n in (sums(t, r, k) for k in range(4))]),
    ),
    (
        "The first order is left out: words in a row are counted from 1 to 4, not from 2.",
        lambda t, r: bleu(t, r, average=lambda p: math.prod(p[1:]) ** (1 / 3)),
    ),
    (
        "The harmonic mean is taken; BLEU takes the fourth root of the product.",
        lambda t, r: bleu(t, r, average=lambda p: 0.0 if 0 in p else len(p) / sum(1 / x for x in p)),
    ),
    (
        "The shares are upside down: matches stand over the translation's n-grams.",
        lambda t, r: bleu(t, r, average=lambda p: 0.0 if 0 in p else 1 / geometric(p)),
    ),
    (
        "The exponent of the penalty has the wrong sign (1 − ℓ / c is due), or BLEU is divided by it: multiply.",
        _with_penalty(lambda c, length: 1.0 if c >= length else math.exp(length / c - 1)),
    ),
    (
        "The exponential of the penalty is missing.",
        _with_penalty(lambda c, length: 1.0 if c >= length else 1 - length / c),
    ),
    (
        "The penalty is e^(−ℓ / c): the 1 in the exponent is missing.",
        _with_penalty(lambda c, length: 1.0 if c >= length else math.exp(-length / c)),
    ),
    (
        "The fourth root is taken of the penalty, too; it belongs to the four precisions alone.",
        _with_penalty(lambda c, length: 1.0 if c >= length else math.exp(1 - length / c) ** (1 / 4)),
    ),
]


def chosen_bleu(
    translations: Sentences,
    references: Sentences,
    *,
    average: Callable = geometric,
    penalty: Callable[[int, int], float] = lambda c, length: 1.0 if c >= length else math.exp(1 - length / c),
    scale: float = 100,
) -> float:
    """BLEU; the keywords make a choice otherwise."""
    c, length = sum(map(len, translations)), sum(map(len, references))
    precisions = shares(translations, references)
    return 0.0 if 0 in precisions else scale * penalty(c, length) * average(precisions)


# To be found beside a second wrong choice; alone each stands above.
BLEU_AXES: Axes = {
    "average": [
        (
            "The four precisions are averaged by adding; BLEU takes the fourth root of their product.",
            lambda precisions: sum(precisions) / 4,
        ),
        ("The fourth root is missing.", math.prod),
    ],
    "penalty": [
        (
            "The brevity penalty is missing, or always 1 (is ℓ / c cut to a whole number, as by //?): translations "
            "that are too short must pay.",
            lambda c, length: 1.0,
        ),
        (
            "The penalty is the wrong way round: it punishes what is longer than the references.",
            lambda c, length: 1.0 if c <= length else math.exp(1 - c / length),
        ),
        (
            "The penalty has c / ℓ where ℓ / c is due.",
            lambda c, length: 1.0 if c >= length else math.exp(1 - c / length),
        ),
        ("The penalty is c / ℓ, without the exponential.", lambda c, length: min(1.0, c / length)),
    ],
    "scale": [("It goes from 0 to 1; BLEU goes from 0 to 100.", 1)],
}
