"""Compares queries with queries.

q1: 0 of 3: compare queries with queries
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ query.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
