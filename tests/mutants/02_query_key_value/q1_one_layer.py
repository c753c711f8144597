"""One layer for queries and keys.

q1: 0 of 3: `query` and `key` are one and the same layer
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = self.query
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        return self.query(x), self.key(x), self.value(x)
