"""Returns float32 for float64.

q1: 2 of 3: For float64 inputs `output` is float32
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    query, key, value = query.float(), key.float(), value.float()
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
