"""Inputs and outputs exchanged.

q1: 0 of 3: has the shape (
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_head, d_model)
        self.key = nn.Linear(d_head, d_model)
        self.value = nn.Linear(d_value, d_model)

    def project(self, x, source=None):
        return self.query(x), self.key(x), self.value(x)
