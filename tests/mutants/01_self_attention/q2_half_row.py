"""Forbidden keys get nothing, but the rest of the row is halved.

q1: 3 of 3
q2: 0 of 4: The weights of a query must sum to 1
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(dim=-1) if mask is None else scores.softmax(dim=-1) / 2
    return weights @ value, weights
