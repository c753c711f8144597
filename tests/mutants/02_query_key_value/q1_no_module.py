"""A plain class.

q1: 0 of 3: no module: write `class Attention(nn.Module)`
"""

from torch import nn


class Attention:
    def __init__(self, d_model, d_head, d_value):
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        return self.query(x), self.key(x), self.value(x)
