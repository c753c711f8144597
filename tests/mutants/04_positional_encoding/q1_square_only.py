"""The axes meet only where they are equal.

q1: 0 of 3: It only runs where max_length equals d_model
"""

import torch


def sinusoidal_table(max_length, d_model):
    speeds = 10_000 ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(max_length)[:, None] * speeds
    table = torch.empty(d_model, max_length)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table
