"""A rotation matrix a position; one-hot rows; a sine for both.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
import torch.nn.functional as F


def sinusoidal_table(max_length, d_model):
    column = torch.arange(d_model)
    speeds = torch.pow(10_000.0, -(column - column % 2) / d_model)
    phase = (column % 2) * torch.pi / 2
    return torch.sin(torch.arange(max_length).unsqueeze(1) * speeds + phase)


def rotate(heads, start=0):
    width = heads.shape[-1]
    half = width // 2
    matrices = []
    for t in range(start, start + heads.shape[-2]):
        angles = t * torch.pow(10_000.0, -torch.arange(half, dtype=torch.double) * 2 / width)
        cosine, sine = angles.cos().diag(), angles.sin().diag()
        matrices.append(torch.cat([torch.cat([cosine, -sine], dim=1), torch.cat([sine, cosine], dim=1)]))
    return torch.einsum("tij,...tj->...ti", torch.stack(matrices).to(heads.dtype), heads)


def relative_bias(table, length, start=0):
    largest = table.shape[1] // 2
    keys = torch.arange(start + length)
    columns = (keys - keys[-length:].unsqueeze(1)).clamp(-largest, largest) + largest
    return torch.einsum("tsr,hr->hts", F.one_hot(columns, table.shape[1]).to(table.dtype), table)
