"""Sines in the first half, cosines in the second.

q1: 0 of 3: All sines come first, then all cosines
"""

import torch


def sinusoidal_table(max_length, d_model):
    speeds = 10_000 ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(max_length)[:, None] * speeds
    return torch.cat([angles.sin(), angles.cos()], dim=1)
