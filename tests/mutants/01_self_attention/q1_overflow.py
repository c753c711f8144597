"""A softmax by hand, without the maximum subtracted.

q1: 2 of 3: exp is infinite
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.exp() / scores.exp().sum(dim=-1, keepdim=True)
    output = weights @ value
    return output, weights
