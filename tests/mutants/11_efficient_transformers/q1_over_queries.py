"""The softmax along the wrong axis.

q1: 0 of 4: The softmax runs over the queries
"""

import torch


def attend_with_cache(query, key, value, past):
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    return scores.softmax(-2) @ value, (key, value)
