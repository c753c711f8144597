"""Zeroes the returned weights, but not those of the output.

q1: 3 of 3
q2: 2 of 4: has zero weights, but not a zero output
"""

import math

import torch


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is None:
        weights = scores.softmax(dim=-1)
        return weights @ value, weights
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1)
    return weights @ value, weights.masked_fill(~mask, 0.0)
