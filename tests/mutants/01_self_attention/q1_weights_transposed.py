"""Transposes the weights before the last product.

q1: 0 of 3: The weights are transposed before they meet the values
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    output = weights.transpose(-2, -1) @ value
    return output, weights
