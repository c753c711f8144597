"""The new keys are joined once more on the way out.

q1: 0 of 4: The new keys are kept twice
"""

import torch

from lessons_lib.attention import scaled_dot_product_attention


def attend_with_cache(query, key, value, past):
    new = key
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    rows, n = query.shape[2], key.shape[2]
    mask = torch.ones(rows, n, dtype=torch.bool).tril(n - rows)
    output = scaled_dot_product_attention(query, key, value, mask)[0]
    return output, (torch.cat([key, new], dim=2), value)
