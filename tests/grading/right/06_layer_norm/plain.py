"""The plain form, of which most wrong answers are edits.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import torch
from torch import nn


class LayerNorm(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.beta = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x):
        mean = x.mean(dim=-1, keepdim=True)
        variance = x.var(dim=-1, keepdim=True, correction=0)
        return self.gamma * (x - mean) / torch.sqrt(variance + self.eps) + self.beta


class RMSNorm(nn.Module):
    def __init__(self, d_model, eps=1e-6):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x):
        wide = x.float() if x.dtype == torch.float16 else x
        return (self.gamma * wide / torch.sqrt(wide.square().mean(dim=-1, keepdim=True) + self.eps)).to(x.dtype)


class Residual(nn.Module):
    def __init__(self, d_model, place="pre"):
        super().__init__()
        self.norm = LayerNorm(d_model)
        self.place = place

    def forward(self, x, sublayer):
        if self.place == "pre":
            return x + sublayer(self.norm(x))
        return self.norm(x + sublayer(x))
