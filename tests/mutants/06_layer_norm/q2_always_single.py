"""Gives float32 back for float64.

q2: 2 of 3: is float32; give it back
"""

import torch
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, d_model, eps=1e-6):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x):
        wide = x.float()
        scaled = self.gamma * wide / torch.sqrt(wide.square().mean(dim=-1, keepdim=True) + self.eps)
        return scaled.half() if x.dtype == torch.float16 else scaled.float()
