"""Puts the last head first.

q1: 1 of 3: What is merged is wrong
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(heads):
    return heads.flip(1).transpose(1, 2).flatten(2)
