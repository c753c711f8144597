"""The additive form, 0 and minus infinity.

q1: 0 of 3: The mask is made of 0 and −∞
"""

import torch


def causal_mask(length):
    return torch.zeros(length, length).masked_fill(torch.ones(length, length).triu(1).bool(), float("-inf"))
