"""Divides the queries too early.

q1: 0 of 3: `query` is divided by √d_head already
"""

import math

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        return self.query(x) / math.sqrt(self.query.out_features), self.key(x), self.value(x)
