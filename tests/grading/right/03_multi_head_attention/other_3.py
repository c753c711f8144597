"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch


def split_heads(x, n_heads):
    B, T, D = x.shape
    return torch.stack(x.chunk(n_heads, -1), 1)
def merge_heads(heads):
    B, H, T, d = heads.shape
    return torch.cat(list(heads.unbind(1)), -1)
