"""Each new token sees the past and itself.

q1: 2 of 4: but not the new ones before it
"""

import torch

from lessons_lib.attention import scaled_dot_product_attention


def attend_with_cache(query, key, value, past):
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    new, n = query.shape[2], key.shape[2]
    mask = torch.cat([torch.ones(new, n - new), torch.eye(new)], dim=1).bool()
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)
