"""A function that computes, in place of a class.

q1: 0 of 3: EncoderLayer(
"""


def EncoderLayer(d_model, n_heads, d_ff):
    return lambda x, mask=None: x
