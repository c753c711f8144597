"""Forgets the transpose: runs only where all sizes are equal.

q1: 0 of 3: The key is not transposed
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
