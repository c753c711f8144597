"""The mean of the sentences' scores.

q1: 0 of 4: the mean of the sentences' scores
"""

import math
from collections import Counter


def ngrams(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def corpus(translations, references):
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


def bleu(translations, references):
    scores = [corpus([t], [r]) for t, r in zip(translations, references, strict=True)]
    return sum(scores) / len(scores)
