"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch


def rotate(heads, start=0):
    T, d = heads.shape[-2], heads.shape[-1]
    half = d // 2
    freqs = 1.0 / (10000 ** (torch.arange(0, d, 2).float() / d))
    pos = torch.arange(start, start + T).float()
    theta = torch.outer(pos, freqs)
    cos, sin = theta.cos().to(heads.dtype), theta.sin().to(heads.dtype)
    x1, x2 = heads[..., :half], heads[..., half:]
    return torch.cat((x1 * cos - x2 * sin, x2 * cos + x1 * sin), dim=-1)
