"""A copied line: queries made by the layer of the keys.

q1: 0 of 3: `query` is made by the layer of the keys
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        return self.key(x), self.key(x), self.value(x)
