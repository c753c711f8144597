"""Hides queries in the place of keys.

q2: 0 of 3: hides rows, which are queries
"""


def padding_mask(tokens, pad_id):
    return (tokens != pad_id)[:, None, :, None]
