"""No softmax.

q1: 0 of 3: the softmax is missing
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores
    output = weights @ value
    return output, weights
