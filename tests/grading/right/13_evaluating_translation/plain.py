"""The plain form, of which most wrong answers are edits.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import math
from collections import Counter


def ngrams(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(translations, references):
    matched, total, c, length = [0] * 4, [0] * 4, 0, 0
    for translation, reference in zip(translations, references, strict=True):
        c, length = c + len(translation), length + len(reference)
        for n in range(1, 5):
            mine, theirs = ngrams(translation, n), ngrams(reference, n)
            matched[n - 1] += (mine & theirs).total()
            total[n - 1] += mine.total()
    if 0 in matched:
        return 0.0
    penalty = 1.0 if c >= length else math.exp(1 - length / c)
    return 100 * penalty * math.prod(m / t for m, t in zip(matched, total, strict=True)) ** (1 / 4)


def links(weights):
    return {(int(row.argmax()), t) for t, row in enumerate(weights.mean(axis=0)[:-1, :-1])}


def alignment_error_rate(found, sure, possible):
    right = sum(len(a & s) + len(a & p) for a, s, p in zip(found, sure, possible, strict=True))
    return 1 - right / (sum(map(len, found)) + sum(map(len, sure)))
