"""1 and 0 in the place of True and False.

q1: 2 of 3: The mask is right, but of numbers (float32)
"""

import torch


def causal_mask(length):
    return torch.ones(length, length).tril()
