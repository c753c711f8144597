"""Works for two axes only.

q1: 2 of 3: but not for (B, T, d_model)
"""

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        query = torch.mm(x, self.query.weight.T) + self.query.bias
        key = torch.mm(x, self.key.weight.T) + self.key.bias
        return query, key, torch.mm(x, self.value.weight.T) + self.value.bias
