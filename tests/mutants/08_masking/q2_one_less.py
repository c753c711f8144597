"""Hides the last real token too.

q2: 1 of 3: the last real token is hidden too
"""

import torch


def padding_mask(tokens, pad_id):
    length = (tokens != pad_id).sum(dim=1, keepdim=True)
    return (torch.arange(tokens.shape[1]) < length - 1)[:, None, None, :]
