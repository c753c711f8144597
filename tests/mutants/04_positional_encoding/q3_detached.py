"""The table could not learn.

q3: 2 of 3: The table must learn. No gradient flows
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = keys - queries[:, None]
    columns = distance.clamp(-max_distance, max_distance) + max_distance
    return table.data[:, columns]
