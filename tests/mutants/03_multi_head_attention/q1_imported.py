"""Uses the methods of the library.

q1: 0 of 3: the answer calls lessons_lib.attention
"""

from lessons_lib.attention import MultiHeadAttention


def split_heads(x, n_heads):
    return MultiHeadAttention(x.shape[-1], n_heads)._split(x)


def merge_heads(heads):
    return heads.transpose(1, 2).flatten(2)
