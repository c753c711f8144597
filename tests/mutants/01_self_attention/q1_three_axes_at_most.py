"""Works for two and for three axes.

q1: 2 of 3: Right for (T, d_head), but not for (B, H, T, d_head)
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    batched = query.dim() > 2
    keys = key.transpose(1, 2) if batched else key.T
    scores = query @ keys / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=2 if batched else 1)
    output = weights @ value
    return output, weights
