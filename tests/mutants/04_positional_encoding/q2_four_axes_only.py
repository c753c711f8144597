"""Takes four axes apart.

q2: 0 of 4: It runs for (B, H, T, d_head), but not for (T, d_head)
"""

import torch


def rotate(heads, start=0):
    _, _, length, d_head = heads.shape
    speeds = 10_000 ** (-torch.arange(0, d_head, 2, dtype=heads.dtype) / d_head)
    positions = start + torch.arange(length, dtype=heads.dtype)
    angles = positions[:, None] * speeds
    first, second = heads.chunk(2, dim=-1)
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
