"""A table that was never filled.

q1: 0 of 3: Every position sees nothing
"""

import torch


def causal_mask(length):
    return torch.zeros(length, length, dtype=torch.bool)
