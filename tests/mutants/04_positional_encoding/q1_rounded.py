"""Speeds rounded to three digits.

q1: 2 of 3: Right for short tables, but not for 1000 positions
"""

import torch


def sinusoidal_table(max_length, d_model):
    speeds = 10_000 ** (-torch.arange(0, d_model, 2) / d_model)
    speeds = (speeds * 2e5).round() / 2e5
    angles = torch.arange(max_length)[:, None] * speeds
    table = torch.empty(max_length, d_model)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table
