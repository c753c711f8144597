"""A function in place of a class.

q1: 0 of 4: not a module
"""


def LayerNorm(d_model, eps=1e-5):
    return lambda x: (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, correction=0) + eps) ** 0.5
