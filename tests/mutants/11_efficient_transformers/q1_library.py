"""Another's cache.

q1: 0 of 4: the answer calls lessons_lib.cache
"""

import torch

from lessons_lib.attention import scaled_dot_product_attention
from lessons_lib.cache import KeyValueCache


def attend_with_cache(query, key, value, past):
    cache = KeyValueCache(*query.shape[:2], 40, query.shape[-1], query)
    if past is not None:
        cache.append(*past)
    key, value = cache.append(key, value)
    new, n = query.shape[2], key.shape[2]
    mask = torch.ones(new, n, dtype=torch.bool).tril(n - new)
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)
