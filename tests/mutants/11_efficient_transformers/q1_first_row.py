"""One row of the mask, for everybody.

q1: 2 of 4: all see what the first of them may see
"""

import torch

from lessons_lib.attention import scaled_dot_product_attention


def attend_with_cache(query, key, value, past):
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    mask = torch.arange(key.shape[2]) <= key.shape[2] - query.shape[2]
    mask = mask.expand(query.shape[2], -1)
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)
