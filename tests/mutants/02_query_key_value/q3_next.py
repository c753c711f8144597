"""Finds the next word.

q3: 0 of 3: it must find word
"""

import math

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    return 20 * math.sqrt(len(finds)) * w_key.roll(-1, dims=0), w_key
