"""Leaves the heads behind the words.

q1: 0 of 3: The heads stand behind the words
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1))


def merge_heads(heads):
    return heads.transpose(1, 2).flatten(2)
