"""Puts the sentences where the queries are.

q2: 0 of 3: The sentences must stay the first axis
"""


def padding_mask(tokens, pad_id):
    return (tokens != pad_id)[None, None]
