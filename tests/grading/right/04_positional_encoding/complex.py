"""Complex numbers turn, one-liners elsewhere.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math

import torch


def sinusoidal_table(max_length, d_model):
    speeds = torch.exp(-torch.arange(0, d_model, 2).double() * (math.log(10_000.0) / d_model))
    turns = torch.polar(torch.ones(1).double(), torch.outer(torch.arange(max_length).double(), speeds))
    return torch.stack([turns.imag, turns.real], dim=-1).flatten(1).float()


def rotate(heads, start=0):
    half = heads.shape[-1] // 2
    speeds = torch.exp(torch.arange(half).double() * (-math.log(10_000.0) / half))
    angles = torch.outer(torch.arange(start, start + heads.shape[-2]).double(), speeds)
    points = torch.complex(heads[..., :half].double(), heads[..., half:].double())
    turned = points * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([turned.real, turned.imag], dim=-1).to(heads.dtype)


def relative_bias(table, length, start=0):
    furthest = table.size(1) // 2
    places = torch.arange(start + length)
    rows = torch.clip(places[None] - places[start:, None] + furthest, 0, 2 * furthest)
    return table.index_select(1, rows.flatten()).view(-1, *rows.shape)
