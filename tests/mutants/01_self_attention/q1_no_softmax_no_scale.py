"""Bare dot products.

q1: 0 of 3: scale and softmax are missing
"""


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1)
    weights = scores
    output = weights @ value
    return output, weights
