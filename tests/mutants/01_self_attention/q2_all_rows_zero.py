"""One empty row zeroes them all.

q1: 3 of 3
q2: 2 of 4: Right for the query with no allowed key, but the others change
"""

import math

import torch


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0) * mask.any(dim=-1).all()
    return weights @ value, weights
