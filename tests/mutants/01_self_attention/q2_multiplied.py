"""Multiplies the scores by the mask.

q1: 3 of 3
q2: 0 of 4: Forbidden scores become 0
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores * mask
    weights = scores.softmax(dim=-1)
    return weights @ value, weights
