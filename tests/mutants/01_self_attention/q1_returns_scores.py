"""Returns the scores beside a right output.

q1: 0 of 3: The output is right, but not the weights returned beside it. The weights are the scaled scores
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, scores
