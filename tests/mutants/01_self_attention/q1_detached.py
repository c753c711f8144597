"""Cuts the whole result off.

q1: 2 of 3: the result is cut off from its inputs
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output.detach(), weights.detach()
