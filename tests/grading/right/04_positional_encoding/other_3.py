"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch


def relative_bias(table, length, start=0):
    H, n = table.shape
    m = n // 2
    q = torch.arange(start, start + length)[:, None]
    k = torch.arange(start + length)[None, :]
    d = (k - q).clamp(-m, m) + m
    return table[:, d]
