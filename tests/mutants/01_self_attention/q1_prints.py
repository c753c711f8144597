"""Prints and returns nothing.

q1: 0 of 3: returns nothing (print only shows a value)
"""

import math


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    print(weights @ value, weights)
