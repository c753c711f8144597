"""Writes into the caller's tensor.

q2: 3 of 4: changes the caller's heads
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
    with torch.no_grad():
        heads.copy_(turned)
    return turned
