"""A speed for each column.

q1: 0 of 3: Each column has a speed of its own
"""

import torch


def sinusoidal_table(max_length, d_model):
    angles = torch.arange(max_length)[:, None] * 10_000 ** (-torch.arange(d_model) / d_model)
    table = angles.sin()
    table[:, 1::2] = angles.cos()[:, 1::2]
    return table
