"""A misspelt method: the hint has the line.

q1: 0 of 3: AttributeError on line 11 (`weights = scores.sofmax(dim=-1)`)
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.sofmax(dim=-1)
    output = weights @ value
    return output, weights
