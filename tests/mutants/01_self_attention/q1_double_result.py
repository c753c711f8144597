"""Returns float64 for float32.

q1: 2 of 3: For float32 inputs `output` is float64
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    query, key, value = query.double(), key.double(), value.double()
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
