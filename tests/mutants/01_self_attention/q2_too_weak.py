"""Subtracts 5 from forbidden scores.

q1: 3 of 3
q2: 0 of 4: A forbidden key still gets the weight
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores - 5 * ~mask
    weights = scores.softmax(dim=-1)
    return weights @ value, weights
