"""Calls PyTorch's own.

q1: 0 of 4: the answer calls torch.nn.functional.layer_norm
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
        return nn.functional.layer_norm(x, self.gamma.shape, self.gamma, self.beta, self.eps)
