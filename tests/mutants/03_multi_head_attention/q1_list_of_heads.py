"""A list in place of a tensor.

q1: 0 of 3: `heads` is a tuple, not a torch.Tensor
"""


def split_heads(x, n_heads):
    return x.chunk(n_heads, dim=-1)


def merge_heads(heads):
    return heads.transpose(1, 2).flatten(2)
