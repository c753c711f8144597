"""Another form, of which some wrong answers are edits.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import torch
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, d_model, eps=1e-6):
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.ones(d_model))
    def forward(self, x):
        h = x.float() if x.dtype == torch.half else x
        ms = h.pow(2).mean(-1, keepdim=True)
        y = h * torch.rsqrt(ms + self.eps)
        return (y * self.gamma).to(x.dtype)
