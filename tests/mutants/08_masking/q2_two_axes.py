"""(B, S): the sentences would be taken for queries.

q2: 0 of 3: its rows would be taken for queries
"""


def padding_mask(tokens, pad_id):
    return tokens != pad_id
