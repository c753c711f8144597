"""The rows run the wrong way.

q1: 0 of 3: The triangle stands on its head
"""

import torch


def causal_mask(length):
    return torch.ones(length, length, dtype=torch.bool).tril().flip(0)
