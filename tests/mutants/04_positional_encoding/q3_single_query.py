"""A single query looks at itself.

q3: 2 of 3: Right for many queries, but not for a single one
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = keys - queries[:, None]
    if length == 1:
        distance = distance * 0
    columns = distance.clamp(-max_distance, max_distance) + max_distance
    return table[:, columns]
