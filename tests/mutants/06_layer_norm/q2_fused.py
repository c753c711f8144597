"""Calls PyTorch's own.

q2: 0 of 3: the answer calls torch.nn.functional.rms_norm
"""

import torch
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, d_model, eps=1e-6):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x):
        return nn.functional.rms_norm(x.float(), self.gamma.shape, self.gamma, self.eps).to(x.dtype)
