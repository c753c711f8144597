"""In float64.

q1: 2 of 3: The table is float64
"""

import torch


def sinusoidal_table(max_length, d_model):
    speeds = 10_000 ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(max_length, dtype=torch.double)[:, None] * speeds
    table = torch.empty(max_length, d_model, dtype=torch.double)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table
