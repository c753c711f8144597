"""Forgets the sign of the large number.

q1: 3 of 3
q2: 0 of 4: large and positive
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, 1e9)
    weights = scores.softmax(dim=-1)
    return weights @ value, weights
