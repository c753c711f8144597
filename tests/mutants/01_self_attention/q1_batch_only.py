"""Axes counted from the front: needs a batch.

q1: 0 of 3: It needs a batch: it runs for (B, T, d_head)
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(1, 2) / math.sqrt(query.shape[2])
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
