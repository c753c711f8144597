"""Interleaves the heads.

q1: 1 of 3: The numbers of the heads are interleaved
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(heads):
    return heads.permute(0, 2, 3, 1).flatten(2)
