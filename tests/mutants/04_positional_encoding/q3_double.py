"""Always float64.

q3: 2 of 3: For float32 inputs `bias` is float64
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = keys - queries[:, None]
    columns = distance.clamp(-max_distance, max_distance) + max_distance
    return table.double()[:, columns]
