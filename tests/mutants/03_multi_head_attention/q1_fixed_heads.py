"""Four heads, whatever is asked for.

q1: 0 of 3: split_heads gives the shape (2, 4,
"""


def split_heads(x, n_heads):
    batch, words, _ = x.shape
    return x.reshape(batch, words, -1)[..., :12].unflatten(-1, (4, -1)).transpose(1, 2)


def merge_heads(heads):
    return heads.transpose(1, 2).flatten(2)
