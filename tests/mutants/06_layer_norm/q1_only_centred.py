"""Takes the mean away, and stops.

q1: 0 of 4: The spread is left as it was
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
        return self.gamma * (x - x.mean(dim=-1, keepdim=True)) + self.beta
