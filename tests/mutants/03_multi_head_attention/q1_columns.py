"""Each word is a column.

q1: 0 of 3: The last two axes are exchanged
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).permute(0, 2, 3, 1)


def merge_heads(heads):
    return heads.transpose(1, 2).flatten(2)
