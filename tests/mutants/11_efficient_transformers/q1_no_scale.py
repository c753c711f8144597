"""Dot products as they are.

q1: 0 of 4: The scores are not divided by √d_head.
"""

import torch


def attend_with_cache(query, key, value, past):
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    new, n = query.shape[2], key.shape[2]
    mask = torch.ones(new, n, dtype=torch.bool).tril(n - new)
    scores = (query @ key.transpose(-2, -1)).masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) @ value, (key, value)
