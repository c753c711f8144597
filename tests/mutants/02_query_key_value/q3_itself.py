"""Ignores the list.

q3: 0 of 3: Every word finds itself
"""

import math

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    return 20 * math.sqrt(len(finds)) * w_key, w_key
