"""One softmax over the whole table.

q1: 0 of 3: over all scores together
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.flatten(-2).softmax(dim=-1).view_as(scores)
    output = weights @ value
    return output, weights
