"""Knows no swiglu.

q1: 3 of 3
q2: 0 of 4: For activation='swiglu': KeyError on line 14
"""

import torch.nn.functional as F
from torch import nn


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        self.function = {"relu": F.relu, "gelu": F.gelu}[activation]
        self.expand = nn.Linear(d_model, d_ff)
        self.contract = nn.Linear(d_ff, d_model)

    def forward(self, x):
        return self.contract(self.function(self.expand(x)))
