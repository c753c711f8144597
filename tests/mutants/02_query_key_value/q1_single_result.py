"""Back to single precision.

q1: 2 of 3: inputs `query` is float32
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        return self.query(x).float(), self.key(x).float(), self.value(x).float()
