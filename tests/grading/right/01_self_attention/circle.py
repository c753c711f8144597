"""Positions on a circle, in two dimensions; the turn is learned by nobody.

q3: 3 of 3
"""

import torch


def previous_word_head(length):
    key = on_circle(torch.arange(length), length)
    query = on_circle(torch.arange(length).sub(1).clamp(min=0), length)
    return 100 * length**2 * query, key


def on_circle(position, length):
    angle = 2 * torch.pi * position / length
    return torch.stack([angle.cos(), angle.sin()], dim=-1)
