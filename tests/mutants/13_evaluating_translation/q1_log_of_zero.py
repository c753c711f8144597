"""Logarithms, and no case for 0.

q1: 3 of 4: ValueError
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
    penalty = 1.0 if c >= length else math.exp(1 - length / c)
    return 100 * penalty * math.exp(sum(math.log(m / t) for m, t in zip(matched, total, strict=True)) / 4)
