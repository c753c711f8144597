"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
import torch.nn.functional as F
from torch import nn


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        self.activation = activation
        if activation == "swiglu":
            hidden = int(d_ff * 2 / 3)
            self.gate = nn.Linear(d_model, hidden)
        else:
            hidden = d_ff
        self.contract = nn.Linear(hidden, d_model)
        self.expand = nn.Linear(d_model, hidden)
    def forward(self, x):
        h = self.expand(x)
        if self.activation == "relu":
            h = torch.relu(h)
        elif self.activation == "gelu":
            h = F.gelu(h)
        else:
            h = h * torch.sigmoid(h) * self.gate(x)
        return self.contract(h)
