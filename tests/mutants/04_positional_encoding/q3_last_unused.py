"""A table of 2·max columns in mind.

q3: 0 of 3: The last column is never used
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = keys - queries[:, None]
    columns = distance.clamp(-max_distance, max_distance - 1) + max_distance
    return table[:, columns]
