"""Brings a β along.

q2: 0 of 3: there is a parameter beta too many
"""

import torch
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, d_model, eps=1e-6):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.beta = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x):
        wide = x.float() if x.dtype == torch.float16 else x
        root = torch.sqrt(wide.square().mean(dim=-1, keepdim=True) + self.eps)
        return (self.gamma * wide / root).to(x.dtype)
