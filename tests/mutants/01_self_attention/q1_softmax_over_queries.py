"""The softmax on the wrong axis.

q1: 0 of 3: runs over the queries
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-2)
    output = weights @ value
    return output, weights
