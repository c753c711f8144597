"""Subtracts a thousand: an empty row keeps its old weights.

q1: 3 of 3
q2: 2 of 4: gets weights that are not zero
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores - 1000 * ~mask
    weights = scores.softmax(dim=-1)
    return weights @ value, weights
