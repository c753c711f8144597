"""x @ weight without a bias.

q1: 0 of 3: `query` multiplies with the weight the wrong way round, and lacks the bias
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        return x @ self.query.weight, x @ self.key.weight, x @ self.value.weight
