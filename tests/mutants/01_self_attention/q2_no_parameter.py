"""Takes no mask.

q1: 3 of 3
q2: 0 of 4: takes 3 positional arguments but 4 were given
"""

import math


def scaled_dot_product_attention(query, key, value):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    return weights @ value, weights
