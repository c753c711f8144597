"""Mean and variance cut off from x.

q1: 3 of 4: The gradient of x is wrong
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
        mean = x.mean(dim=-1, keepdim=True).detach()
        variance = x.var(dim=-1, keepdim=True, correction=0).detach()
        return self.gamma * (x - mean) / torch.sqrt(variance + self.eps) + self.beta
