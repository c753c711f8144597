"""Scales the caller's query.

q1: 2 of 3: changes the caller's query
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    query /= math.sqrt(query.shape[-1])
    scores = query @ key.transpose(-2, -1)
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
