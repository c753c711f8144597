"""Layers made in a loop, attention in a function, the sources by a name.

q1: 3 of 3
q2: 4 of 4
"""

import math

from torch import nn


def attend(query, key, value):
    weights = nn.Softmax(dim=-1)((query / math.sqrt(query.size(-1))).matmul(key.mT))
    return weights.matmul(value), weights


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        for name, size in {"query": d_head, "key": d_head, "value": d_value}.items():
            setattr(self, name, nn.Linear(d_model, size))

    def project(self, x, source=None):
        asked = {"query": x, "key": x if source is None else source, "value": x if source is None else source}
        return [getattr(self, name)(words) for name, words in asked.items()]

    def forward(self, x, source=None):
        return attend(*self.project(x, source))
