"""Cut out of a table that is too small.

q1: 2 of 3: is a size written into the code?
"""

import torch


def causal_mask(length):
    return (
        torch.ones(64, 64, dtype=torch.bool).tril()[:length, :length]
        if length < 60
        else torch.ones(length, length, dtype=torch.bool)
    )
