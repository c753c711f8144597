"""Another base.

q1: 0 of 3: The base is 1000;
"""

import torch


def sinusoidal_table(max_length, d_model):
    speeds = 1_000 ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(max_length)[:, None] * speeds
    table = torch.empty(max_length, d_model)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table
