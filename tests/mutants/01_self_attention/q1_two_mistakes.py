"""No scale, and the softmax over the queries: no version with one mistake gives these numbers.

q1: 0 of 3: The columns of the weights sum to 1, and the rows should
"""


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1)
    weights = scores.softmax(dim=-2)
    output = weights @ value
    return output, weights
