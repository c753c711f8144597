"""Transposes back, but does not join.

q1: 0 of 3: but are not joined
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(heads):
    return heads.transpose(1, 2)
