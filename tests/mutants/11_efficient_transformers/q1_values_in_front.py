"""Keys behind the past, values in front of it.

q1: 0 of 4: The values of the past stand behind the new one
"""

import torch

from lessons_lib.attention import scaled_dot_product_attention


def attend_with_cache(query, key, value, past):
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([value, past[1]], dim=2)
    new, n = query.shape[2], key.shape[2]
    mask = torch.ones(new, n, dtype=torch.bool).tril(n - new)
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)
