"""True where the padding is.

q2: 1 of 3: The padding mask is inverted
"""


def padding_mask(tokens, pad_id):
    return (tokens == pad_id)[:, None, None, :]
