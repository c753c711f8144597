"""max_distance is the size of the table.

q3: 0 of 3: A column beyond the table is asked for
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = table.shape[1]
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = keys - queries[:, None]
    columns = distance.clamp(-max_distance, max_distance) + max_distance
    return table[:, columns]
