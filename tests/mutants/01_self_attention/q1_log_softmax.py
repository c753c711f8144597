"""Logarithms in place of weights.

q1: 0 of 3: use softmax, not log_softmax
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.log_softmax(dim=-1)
    output = weights @ value
    return output, weights
