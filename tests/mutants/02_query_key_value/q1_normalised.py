"""Queries of length 1.

q1: 0 of 3: `query` is not what its layer gives: query[
"""

import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        return F.normalize(self.query(x), dim=-1), self.key(x), self.value(x)
