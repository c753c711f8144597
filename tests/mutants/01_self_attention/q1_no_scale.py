"""The scale is missing.

q1: 0 of 3: not divided by √d_head
"""


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1)
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
