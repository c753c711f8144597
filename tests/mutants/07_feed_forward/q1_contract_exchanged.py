"""The second layer has its sizes exchanged.

q1: 0 of 3: d_model and d_ff are exchanged in contract
"""

import torch.nn.functional as F
from torch import nn


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        self.expand = nn.Linear(d_model, d_ff)
        self.contract = nn.Linear(d_model, d_ff)

    def forward(self, x):
        return self.contract(F.relu(self.expand(x)))
