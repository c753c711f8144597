"""A sigmoid in place of the softmax.

q1: 0 of 3: The weights of a query must sum to 1
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.sigmoid()
    output = weights @ value
    return output, weights
