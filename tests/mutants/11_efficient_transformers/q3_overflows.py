"""No largest score at all.

q3: 2 of 3: large ones overflow
"""

import math


def attention_over_blocks(query, blocks):
    total, output = 0.0, 0.0
    for keys, values in blocks:
        weights = (query @ keys.transpose(-2, -1) / math.sqrt(query.shape[-1])).exp()
        total, output = total + weights.sum(-1, keepdim=True), output + weights @ values
    return output / total
