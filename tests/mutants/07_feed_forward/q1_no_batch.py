"""Mixes the sentences of a batch.

q1: 2 of 3: not for (B, T, d_model); each word stands alone
"""

import torch.nn.functional as F
from torch import nn


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        self.expand = nn.Linear(d_model, d_ff)
        self.contract = nn.Linear(d_ff, d_model)

    def forward(self, x):
        hidden = F.relu(self.expand(x))
        if x.ndim == 3:
            hidden = hidden - hidden.mean(0)
        return self.contract(hidden)
