"""Overwritten in each round.

q3: 0 of 3: Only the last block counts
"""

import math


def attention_over_blocks(query, blocks):
    outputs = []
    for keys, values in blocks:
        scores = query @ keys.transpose(-2, -1) / math.sqrt(query.shape[-1])
        outputs.append(scores.softmax(-1) @ values)
    return outputs[-1]
