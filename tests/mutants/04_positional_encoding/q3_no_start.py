"""No parameter for the start.

q3: 2 of 3: TypeError: relative_bias() takes 2
"""

import torch


def relative_bias(table, length):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(length)
    queries = keys
    distance = keys - queries[:, None]
    columns = distance.clamp(-max_distance, max_distance) + max_distance
    return table[:, columns]
