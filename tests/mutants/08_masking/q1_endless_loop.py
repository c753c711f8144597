"""A loop that never ends.

q1: 0 of 3: still running after
"""

import torch


def causal_mask(length):
    mask, row = torch.zeros(length, length, dtype=torch.bool), 0
    while row < length:
        mask[row, : row + 1] = True
    return mask
