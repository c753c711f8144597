"""(B, 1, S): the sentences would be taken for heads.

q2: 0 of 3: its sentences would be taken for heads
"""


def padding_mask(tokens, pad_id):
    return (tokens != pad_id)[:, None, :]
