"""Picks the allowed scores one by one: the mask must have their shape.

q1: 3 of 3
q2: 3 of 4: A mask (B, 1, 1, S) for scores (B, H, T, S) goes wrong: IndexError
"""

import math

import torch


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        lowest = torch.full_like(scores, torch.finfo(scores.dtype).min)
        lowest[mask] = scores[mask]
        scores = lowest
    weights = scores.softmax(dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)
    return weights @ value, weights
