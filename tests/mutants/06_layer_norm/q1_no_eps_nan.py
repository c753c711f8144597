"""No ε: a word of equal numbers is 0 divided by 0.

q1: 2 of 4: Where all numbers of a word are equal it gives NaN
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
        spread = x.std(dim=-1, keepdim=True, correction=0)
        return self.gamma * (x - mean) / spread + self.beta
