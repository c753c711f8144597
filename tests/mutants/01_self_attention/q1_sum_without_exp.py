"""Shares by the scores themselves, not by their exponentials.

q1: 0 of 3: The weights differ: weights[
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores / scores.sum(dim=-1, keepdim=True)
    output = weights @ value
    return output, weights
