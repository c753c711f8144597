"""Counts on a long sentence.

q3: 2 of 3: Right for long, but not for short sentences
"""

import torch


def relative_bias(table, length, start=0):
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length)
    queries = keys[start:]
    distance = keys - queries[:, None]
    max_distance -= 1 < length <= max_distance
    columns = distance.clamp(-max_distance, max_distance) + max_distance
    return table[:, columns]
