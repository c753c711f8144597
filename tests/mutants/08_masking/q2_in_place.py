"""Writes into the caller's tokens.

q2: 2 of 3: Your function writes into the tokens that it was given
"""


def padding_mask(tokens, pad_id):
    real = tokens.clone() != pad_id
    tokens.fill_(pad_id)
    return real[:, None, None, :]
