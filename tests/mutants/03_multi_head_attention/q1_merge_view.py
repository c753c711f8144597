"""A view of numbers that do not lie in order.

q1: 0 of 3: RuntimeError on line
"""


def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(heads):
    batch, n_heads, words, d_head = heads.shape
    return heads.transpose(1, 2).view(batch, words, n_heads * d_head)
