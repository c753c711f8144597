"""An output layer, which is lesson 3.

q1: 0 of 3: there is a parameter `output.bias`, which the question does not name
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)
        self.output = nn.Linear(d_value, d_model)

    def project(self, x, source=None):
        return self.query(x), self.key(x), self.value(x)
