"""Reshapes with a batch in mind, and drops all others.

q1: 2 of 3: but not with two axes in front
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        rows = x.reshape(-1, x.shape[-2], x.shape[-1])[: x.shape[0]] if x.dim() > 2 else x
        return self.query(rows), self.key(rows), self.value(rows)
