"""Wraps around.

q3: 0 of 3: start again at the other end
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = keys - queries[:, None]
    columns = (distance + max_distance) % table.shape[1]
    return table[:, columns]
