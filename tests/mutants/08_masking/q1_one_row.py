"""One row for all queries.

q1: 0 of 3: each of the
"""

import torch


def causal_mask(length):
    return torch.ones(length, dtype=torch.bool)
