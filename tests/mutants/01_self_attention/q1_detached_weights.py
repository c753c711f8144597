"""Cuts the weights off: only the values would learn.

q1: 2 of 3: The gradient of query is wrong
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    output = weights.detach() @ value
    return output, weights
