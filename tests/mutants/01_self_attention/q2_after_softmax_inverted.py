"""Zeroes the weights of the allowed keys.

q1: 3 of 3
q2: 0 of 4: The mask comes after the softmax, and inverted
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    if mask is not None:
        weights = weights.masked_fill(mask, 0.0)
    return weights @ value, weights
