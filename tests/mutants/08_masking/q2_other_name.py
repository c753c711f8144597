"""A name that the question does not ask for.

q2: 0 of 3: not found: define padding_mask(tokens, pad_id)
"""


def pad_mask(tokens, pad_id):
    return (tokens != pad_id)[:, None, None, :]
