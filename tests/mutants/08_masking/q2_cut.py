"""Leaves the last column out.

q2: 0 of 3: (B, 1, 1, S) is due, which is
"""


def padding_mask(tokens, pad_id):
    return (tokens != pad_id)[:, None, None, :-1]
