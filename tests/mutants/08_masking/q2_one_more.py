"""Shows the first padding.

q2: 1 of 3: the first padding is seen too
"""

import torch


def padding_mask(tokens, pad_id):
    length = (tokens != pad_id).sum(dim=1, keepdim=True)
    return (torch.arange(tokens.shape[1]) <= length)[:, None, None, :]
