"""Centres the caller's words.

q1: 2 of 3: changes the caller's x
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        query, key, value = self.query(x), self.key(x), self.value(x)
        x -= x.mean()
        return query, key, value
