"""Casts the words to single precision.

q1: 2 of 3: but not for a layer in float64
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        x = x.float()
        return self.query(x), self.key(x), self.value(x)
