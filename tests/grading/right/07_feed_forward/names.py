"""Strings compared in forward; the gate only where it is needed.

q1: 3 of 3
q2: 4 of 4
"""

import torch.nn.functional as F
from torch import nn


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        self.activation = activation
        width = 2 * d_ff // 3 if activation == "swiglu" else d_ff
        self.expand = nn.Linear(d_model, width)
        if activation == "swiglu":
            self.gate = nn.Linear(d_model, width)
        self.contract = nn.Linear(width, d_model)

    def forward(self, x):
        hidden = self.expand(x)
        if self.activation == "relu":
            hidden = F.relu(hidden)
        elif self.activation == "gelu":
            hidden = F.gelu(hidden)
        else:
            hidden = F.silu(hidden) * self.gate(x)
        return self.contract(hidden)
