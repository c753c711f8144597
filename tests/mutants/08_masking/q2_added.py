"""The additive form, 0 and minus infinity.

q2: 1 of 3: which any attention can read: True where a token is real
"""

import torch


def padding_mask(tokens, pad_id):
    return torch.zeros(tokens.shape).masked_fill(tokens == pad_id, float("-inf"))[:, None, None, :]
