"""Makes d_head heads, each n_heads wide.

q1: 0 of 3: n_heads and d_head are exchanged
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (-1, n_heads)).transpose(1, 2)


def merge_heads(heads):
    return heads.transpose(1, 2).flatten(2)
