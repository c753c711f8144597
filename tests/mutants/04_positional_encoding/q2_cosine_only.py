"""Only scaled.

q2: 0 of 4: Each number is only multiplied by a cosine
"""

import torch


def rotate(heads, start=0):
    length, d_head = heads.shape[-2:]
    speeds = 10_000 ** (-torch.arange(0, d_head, 2, dtype=heads.dtype) / d_head)
    positions = start + torch.arange(length, dtype=heads.dtype)
    angles = positions[:, None] * speeds
    first, second = heads.chunk(2, dim=-1)
    cosine = angles.cos()
    return torch.cat([first * cosine, second * cosine], dim=-1)
