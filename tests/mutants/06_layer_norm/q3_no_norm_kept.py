"""The norm has another name.

q1: 4 of 4
q3: 0 of 3: there is no parameter norm.
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


class Residual(nn.Module):
    def __init__(self, d_model, place="pre"):
        super().__init__()
        self.layer_norm = LayerNorm(d_model)
        self.place = place

    def forward(self, x, sublayer):
        if self.place == "pre":
            return x + sublayer(self.layer_norm(x))
        return self.layer_norm(x + sublayer(x))
