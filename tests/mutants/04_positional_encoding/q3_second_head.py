"""The second head gets too much.

q3: 0 of 3: Right for the first head only
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = keys - queries[:, None]
    columns = distance.clamp(-max_distance, max_distance) + max_distance
    return table[:, columns] + torch.arange(len(table))[:, None, None]
