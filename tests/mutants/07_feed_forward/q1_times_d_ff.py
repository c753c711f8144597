"""Takes d_ff for a factor.

q1: 0 of 3: expand.weight has the shape
"""

import torch.nn.functional as F
from torch import nn


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        self.expand = nn.Linear(d_model, d_ff * d_model)
        self.contract = nn.Linear(d_ff * d_model, d_model)

    def forward(self, x):
        return self.contract(F.relu(self.expand(x)))
