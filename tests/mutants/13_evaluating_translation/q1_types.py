"""Sets in place of counts.

q1: 0 of 4: Each n-gram counts once, as in a set
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
            matched[n - 1] += len(set(mine) & set(theirs))
            total[n - 1] += len(mine)
    if 0 in matched:
        return 0.0
    penalty = 1.0 if c >= length else math.exp(1 - length / c)
    return 100 * penalty * math.prod(m / t for m, t in zip(matched, total, strict=True)) ** (1 / 4)
