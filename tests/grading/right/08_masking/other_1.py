"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 3 of 3
q3: 4 of 4
"""

import torch


def causal_mask(length):
    return torch.tril(torch.ones(length, length)).bool()
