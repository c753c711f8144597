"""The output is made of other weights than those returned.

q1: 0 of 3: the output is not weights @ value
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    output = weights.square() @ value
    return output, weights
