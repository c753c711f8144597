"""query − key.

q3: 0 of 3: Left and right are exchanged
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = queries[:, None] - keys
    columns = distance.clamp(-max_distance, max_distance) + max_distance
    return table[:, columns]
