"""Angles of one convention, partners of the other.

q2: 0 of 4: Two conventions are mixed
"""

import torch


def rotate(heads, start=0):
    length, d_head = heads.shape[-2:]
    speeds = 10_000 ** (-torch.arange(0, d_head, 2, dtype=heads.dtype) / d_head)
    positions = start + torch.arange(length, dtype=heads.dtype)
    angles = positions[:, None] * speeds
    first, second = heads.chunk(2, dim=-1)
    partner = torch.cat([-second, first], dim=-1)
    angles = angles.repeat_interleave(2, dim=-1)
    return heads * angles.cos() + partner * angles.sin()
