"""Cuts across the words: the shape is right, the numbers are not.

q1: 0 of 3: The heads are cut across the words
"""


def split_heads(x, n_heads):
    batch, words, d_model = x.shape
    return x.view(batch, n_heads, words, d_model // n_heads)


def merge_heads(heads):
    return heads.transpose(1, 2).flatten(2)
