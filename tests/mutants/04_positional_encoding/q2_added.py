"""Adds the table of q1.

q2: 0 of 4: The positions are added; RoPE turns
"""

import torch


def rotate(heads, start=0):
    length, d_head = heads.shape[-2:]
    speeds = 10_000 ** (-torch.arange(0, d_head, 2, dtype=heads.dtype) / d_head)
    positions = start + torch.arange(length, dtype=heads.dtype)
    angles = positions[:, None] * speeds
    cosine, sine = angles.cos(), angles.sin()
    return heads + torch.stack([sine, cosine], dim=-1).flatten(-2)
