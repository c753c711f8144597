"""Values made of the keys.

q1: 0 of 3: `value` is made of the keys
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        key = self.key(x)
        return self.query(x), key, self.value(key)
