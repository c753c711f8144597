"""Only ids below pad_id count as words.

q2: 1 of 3: whose id is not below pad_id
"""


def padding_mask(tokens, pad_id):
    return (tokens < pad_id)[:, None, None, :]
