"""Only one of the two functions.

q1: 0 of 3: not found: define merge_heads(heads)
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)
