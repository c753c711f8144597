"""Names of its own.

q1: 0 of 3: there is no parameter `query.weight`, but w_k.bias
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.w_q = nn.Linear(d_model, d_head)
        self.w_k = nn.Linear(d_model, d_head)
        self.w_v = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        return self.w_q(x), self.w_k(x), self.w_v(x)
