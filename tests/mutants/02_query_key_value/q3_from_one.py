"""Counts words from 1.

q3: 0 of 3: words are counted from 0
"""

import math

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    rows = [max(found - 1, 0) for found in finds]
    return 20 * math.sqrt(len(finds)) * w_key[rows], w_key
