"""Takes d_value for d_head.

q1: 0 of 3: root of the size of a value
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(value.shape[-1])
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
