"""A dot product at a time.

q1: 3 of 3
q2: 4 of 4
"""

import itertools
import math

import torch


def scaled_dot_product_attention(query, key, value, mask=None):
    batch, n_queries, n_keys = query.shape[:-2], query.shape[-2], key.shape[-2]
    if mask is None:
        mask = torch.ones(n_queries, n_keys, dtype=torch.bool, device=query.device)
    mask = mask.expand(*batch, n_queries, n_keys)
    rows, weight_rows = [], []
    for place in itertools.product(*(range(size) for size in (*batch, n_queries))):
        *front, _ = place
        keys, values, row_mask = key[tuple(front)], value[tuple(front)], mask[place]
        row = torch.stack([query[place] @ keys[s] for s in range(n_keys)]) / math.sqrt(query.shape[-1])
        weight = torch.zeros_like(row)
        if row_mask.any():
            weight[row_mask] = torch.softmax(row[row_mask], dim=0)
        weight_rows.append(weight)
        rows.append(sum(weight[s] * values[s] for s in range(n_keys)))
    shape = (*batch, n_queries, -1)
    return torch.stack(rows).reshape(shape), torch.stack(weight_rows).reshape(shape)
