"""Takes the mean away from the caller's x.

q1: 3 of 4: changes the caller's x
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
        if not x.requires_grad:
            x -= x.mean(dim=-1, keepdim=True)
        else:
            x = x - x.mean(dim=-1, keepdim=True)
        variance = x.var(dim=-1, keepdim=True, correction=0)
        return self.gamma * x / torch.sqrt(variance + self.eps) + self.beta
