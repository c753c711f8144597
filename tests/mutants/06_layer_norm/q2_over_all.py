"""One scale for everything.

q2: 0 of 3: The mean of x² runs over words and dimensions
"""

import torch
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, d_model, eps=1e-6):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x):
        return self.gamma * x / torch.sqrt(x.square().mean() + self.eps)
