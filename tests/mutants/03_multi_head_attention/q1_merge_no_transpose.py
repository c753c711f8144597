"""Joins without transposing back.

q1: 1 of 3: The heads are merged without transposing back, so a word
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(heads):
    batch, n_heads, words, d_head = heads.shape
    return heads.reshape(batch, words, n_heads * d_head)
