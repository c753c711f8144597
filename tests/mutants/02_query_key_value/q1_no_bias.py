"""Layers without a bias.

q1: 0 of 3: there is no parameter `query.bias`: the question asks for layers with a bias
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head, bias=False)
        self.key = nn.Linear(d_model, d_head, bias=False)
        self.value = nn.Linear(d_model, d_value, bias=False)

    def project(self, x, source=None):
        return self.query(x), self.key(x), self.value(x)
