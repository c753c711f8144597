"""Divides by d_head.

q1: 0 of 3: divided by d_head; divide by its square root
"""


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / query.shape[-1]
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
