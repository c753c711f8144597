"""Forgets the other heads.

q2: 3 of 4: Right for (T, d_head), but not for (B, H, T, d_head)
"""

import torch


def rotate(heads, start=0):
    length, d_head = heads.shape[-2:]
    speeds = 10_000 ** (-torch.arange(0, d_head, 2, dtype=heads.dtype) / d_head)
    positions = start + torch.arange(length, dtype=heads.dtype)
    angles = positions[:, None] * speeds
    first, second = heads.chunk(2, dim=-1)
    cosine, sine = angles.cos(), angles.sin()
    turned = torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
    return turned if heads.dim() == 2 or length == 1 else torch.cat([turned[:, :1], heads[:, 1:]], dim=1)
