"""Gives back what it got.

q2: 0 of 4: Nothing is turned
"""

import torch


def rotate(heads, start=0):
    return heads * torch.ones(1, dtype=heads.dtype)
