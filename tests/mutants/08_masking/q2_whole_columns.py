"""Hides a column from all as soon as one sentence is padded there.

q2: 1 of 3: A column is hidden in all sentences
"""


def padding_mask(tokens, pad_id):
    return (tokens != pad_id).all(dim=0).expand_as(tokens)[:, None, None, :]
