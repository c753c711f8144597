"""Axes counted from the front: needs a batch and heads.

q1: 0 of 3: It needs a batch and heads
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[3])
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
