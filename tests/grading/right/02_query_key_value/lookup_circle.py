"""Two dimensions: every word on a circle, and a very long query.

q3: 3 of 3
"""

import torch


def lookup_matrices(finds):
    angle = 2 * torch.pi * torch.arange(len(finds)) / len(finds)
    w_key = torch.stack([angle.cos(), angle.sin()], dim=-1)
    return 100 * len(finds) ** 2 * w_key[finds], w_key
