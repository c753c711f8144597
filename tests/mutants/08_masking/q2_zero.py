"""0 written into the code.

q2: 1 of 3: The mask hides token 0
"""


def padding_mask(tokens, pad_id):
    return (tokens != 0)[:, None, None, :]
