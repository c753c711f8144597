"""Nothing is forbidden.

q1: 0 of 3: Every position sees every other
"""

import torch


def causal_mask(length):
    return torch.ones(length, length, dtype=torch.bool)
