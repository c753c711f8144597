"""ReLU is wrong already.

q1: 0 of 3: There is no activation
q2: 0 of 4: With ReLU the numbers are wrong already
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
            hidden = hidden
        elif self.activation == "gelu":
            hidden = F.gelu(hidden)
        else:
            hidden = F.silu(hidden) * self.gate(x)
        return self.contract(hidden)
