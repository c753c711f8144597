"""The pair is taken apart.

q1: 0 of 4: three things; keys and values go together
"""

import torch

from lessons_lib.attention import scaled_dot_product_attention


def attend_with_cache(query, key, value, past):
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    new, n = query.shape[2], key.shape[2]
    mask = torch.ones(new, n, dtype=torch.bool).tril(n - new)
    return scaled_dot_product_attention(query, key, value, mask)[0], key, value
