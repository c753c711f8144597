"""The bias grows with the query's position.

q3: 0 of 3: Two pairs at the same distance
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = keys - queries[:, None]
    columns = distance.clamp(-max_distance, max_distance) + max_distance
    return table[:, columns] * queries[:, None]
