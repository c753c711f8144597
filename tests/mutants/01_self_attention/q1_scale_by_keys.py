"""Takes S for d_head.

q1: 0 of 3: root of the number of keys
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(key.shape[-2])
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
