"""NumPy, tensors, frozen sets.

q1: 4 of 4
q2: 3 of 3
"""

from collections import Counter

import numpy as np
import torch


def bleu(translations, references):
    rows = []
    for translation, reference in zip(translations, references, strict=True):
        row = [len(translation), len(reference)]
        for n in range(1, 5):
            mine, theirs = (Counter(zip(*(s[i:] for i in range(n)), strict=False)) for s in (translation, reference))
            row += [sum((mine & theirs).values()), sum(mine.values())]
        rows.append(row)
    c, length, *counts = np.sum(rows, axis=0)
    matched, total = np.array(counts[::2]), np.array(counts[1::2])
    if not matched.all():
        return torch.tensor(0.0)
    with np.errstate(divide="ignore"):
        logs = np.log(matched / total).mean()
    return torch.tensor(100 * np.exp(logs + min(0, 1 - length / c)))


def links(weights):
    best = torch.from_numpy(weights).sum(0)[:-1, :-1].argmax(-1)
    return frozenset((s, t) for t, s in enumerate(best.tolist()))


def alignment_error_rate(found, sure, possible):
    sums = np.sum(
        [[len(a & s) + len(a & p), len(a) + len(s)] for a, s, p in zip(found, sure, possible, strict=True)], axis=0
    )
    return np.float32(1) - sums[0] / np.float64(sums[1])
