"""x @ weight, which runs only for square matrices.

q1: 0 of 3: `query` multiplies with the weight the wrong way round: a linear
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        query = x @ self.query.weight + self.query.bias
        key = x @ self.key.weight + self.key.bias
        return query, key, x @ self.value.weight + self.value.bias
