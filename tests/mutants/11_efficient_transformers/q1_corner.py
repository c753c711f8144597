"""The triangle of lesson 8, cut to size.

q1: 0 of 4: The new token sees only the first key
"""

import torch

from lessons_lib.attention import scaled_dot_product_attention


def attend_with_cache(query, key, value, past):
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    mask = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool).tril()
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)
