"""The lengths' ratio as penalty.

q1: 2 of 4: without the exponential
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
    penalty = min(1.0, c / length)
    return 100 * penalty * math.prod(m / t for m, t in zip(matched, total, strict=True)) ** (1 / 4)
