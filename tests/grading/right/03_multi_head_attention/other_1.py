"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch


def split_heads(x, n_heads):
    B, T, D = x.shape
    return x.unflatten(2, (n_heads, D // n_heads)).movedim(2, 1)
def merge_heads(heads):
    B, H, T, d = heads.shape
    return torch.cat([heads[:, h] for h in range(H)], dim=-1)
