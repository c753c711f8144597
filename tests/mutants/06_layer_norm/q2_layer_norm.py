"""LayerNorm without β.

q2: 0 of 3: That is LayerNorm without β
"""

import torch
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, d_model, eps=1e-6):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x):
        wide = x.float() if x.dtype == torch.float16 else x
        centred = wide - wide.mean(dim=-1, keepdim=True)
        return (self.gamma * centred / torch.sqrt(centred.square().mean(dim=-1, keepdim=True) + self.eps)).to(x.dtype)
