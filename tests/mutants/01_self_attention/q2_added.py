"""Adds the mask to the scores.

q1: 3 of 3
q2: 0 of 4: The mask is added to the scores as 0 and 1
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores + mask.to(scores.dtype)
    weights = scores.softmax(dim=-1)
    return weights @ value, weights
