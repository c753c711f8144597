"""The diagonal is left out.

q1: 0 of 3: A position does not see itself
"""

import torch


def causal_mask(length):
    return torch.ones(length, length, dtype=torch.bool).tril(-1)
