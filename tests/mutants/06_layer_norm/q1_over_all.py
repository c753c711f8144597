"""One mean and one variance for everything.

q1: 0 of 4: run over words and dimensions together
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
        mean, variance = x.mean(), x.var(correction=0)
        return self.gamma * (x - mean) / torch.sqrt(variance + self.eps) + self.beta
