"""One axis for batch and heads.

q1: 0 of 3: Batch and heads are one axis
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2).flatten(0, 1)


def merge_heads(heads):
    return heads.transpose(1, 2).flatten(2)
