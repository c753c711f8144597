"""Fills the table.

q3: 2 of 3: changes the caller's table
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = keys - queries[:, None]
    columns = distance.clamp(-max_distance, max_distance) + max_distance
    bias = table[:, columns]
    with torch.no_grad():
        table.zero_()
    return bias
