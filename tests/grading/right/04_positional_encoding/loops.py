"""A number at a time.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math

import torch


def sinusoidal_table(max_length, d_model):
    rows = []
    for t in range(max_length):
        pairs = [
            (math.sin(t / 10_000 ** (i / d_model)), math.cos(t / 10_000 ** (i / d_model))) for i in range(0, d_model, 2)
        ]
        rows.append([number for pair in pairs for number in pair])
    return torch.tensor(rows)


def rotate(heads, start=0):
    length, width = heads.shape[-2], heads.shape[-1]
    half, rows = width // 2, []
    for t in range(length):
        row = [None] * width
        for i in range(half):
            angle = (start + t) / 10_000 ** (2 * i / width)
            x, y = heads[..., t, i], heads[..., t, i + half]
            row[i], row[i + half] = x * math.cos(angle) - y * math.sin(angle), y * math.cos(angle) + x * math.sin(angle)
        rows.append(torch.stack(row, dim=-1))
    return torch.stack(rows, dim=-2)


def relative_bias(table, length, start=0):
    largest = (table.shape[1] - 1) // 2
    rows = []
    for query in range(start, start + length):
        columns = [max(-largest, min(largest, key - query)) + largest for key in range(start + length)]
        rows.append(torch.stack([table[:, column] for column in columns], dim=-1))
    return torch.stack(rows, dim=1)
