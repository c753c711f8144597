"""Layers in a Python list.

q1: 0 of 3: the module has no weights at all
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.layers = [nn.Linear(d_model, size) for size in (d_head, d_head, d_value)]

    def project(self, x, source=None):
        return [layer(x) for layer in self.layers]
