"""Twice the range that has the 2 already.

q1: 0 of 3: The exponent is twice too large
"""

import torch


def sinusoidal_table(max_length, d_model):
    speeds = 10_000 ** (-2 * torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(max_length)[:, None] * speeds
    table = torch.empty(max_length, d_model)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table
