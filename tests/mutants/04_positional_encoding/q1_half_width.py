"""Sines alone, a column a pair.

q1: 0 of 3: columns, one a pair
"""

import torch


def sinusoidal_table(max_length, d_model):
    speeds = 10_000 ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(max_length)[:, None] * speeds
    return angles.sin()
