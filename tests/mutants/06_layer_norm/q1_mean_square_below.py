"""The mean of x² in place of the variance.

q1: 0 of 4: below it stands the mean of x²
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
        return self.gamma * (x - mean) / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + self.eps) + self.beta
