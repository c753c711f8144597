"""Cuts the gradient.

q1: 2 of 3: No gradient flows, so nothing could be trained: the result is cut off
"""


def split_heads(x, n_heads):
    return x.detach().unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(heads):
    return heads.transpose(1, 2).flatten(2)
