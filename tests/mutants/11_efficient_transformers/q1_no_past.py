"""The past is there, and nobody looks.

q1: 0 of 4: The past is not read
"""

import torch

from lessons_lib.attention import scaled_dot_product_attention


def attend_with_cache(query, key, value, past):
    new, n = query.shape[2], key.shape[2]
    mask = torch.ones(new, n, dtype=torch.bool).tril(n - new)
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)
