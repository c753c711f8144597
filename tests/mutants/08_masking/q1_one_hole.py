"""Right but for one corner.

q1: 0 of 3: Position 2 may attend to position 0
"""

import torch


def causal_mask(length):
    mask = torch.ones(length, length, dtype=torch.bool).tril()
    mask[2:, 0] = False
    return mask
