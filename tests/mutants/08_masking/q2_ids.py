"""The tokens themselves, the padding as 0.

q2: 1 of 3: The mask holds the ids of the tokens
"""


def padding_mask(tokens, pad_id):
    return tokens.masked_fill(tokens == pad_id, 0)[:, None, None, :]
