"""Keys made of the queries.

q1: 0 of 3: `key` is made of the queries
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        query = self.query(x)
        return query, self.key(query), self.value(x)
