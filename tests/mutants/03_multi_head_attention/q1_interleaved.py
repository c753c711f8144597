"""Gives head h the numbers h, h + H, h + 2H …

q1: 0 of 3: Each head gets every n_heads-th number
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (-1, n_heads)).permute(0, 3, 1, 2)


def merge_heads(heads):
    return heads.transpose(1, 2).flatten(2)
