"""Gives the same tensor to everybody who asks for the same length.

q1: 3 of 3
"""

import functools

import torch


@functools.cache
def causal_mask(length):
    return torch.ones(length, length, dtype=torch.bool).tril()
