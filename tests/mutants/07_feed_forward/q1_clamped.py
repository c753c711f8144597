"""A ReLU with an upper end far away.

q1: 2 of 3: not for large ones
"""

from torch import nn


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        self.expand = nn.Linear(d_model, d_ff)
        self.contract = nn.Linear(d_ff, d_model)

    def forward(self, x):
        return self.contract(self.expand(x).clamp(0, 100))
