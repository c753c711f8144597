"""The plain form, of which most wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        source = x if source is None else source
        return self.query(x), self.key(source), self.value(source)

    def forward(self, x, source=None):
        query, key, value = self.project(x, source)
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        weights = scores.softmax(dim=-1)
        return weights @ value, weights


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    return 20 * math.sqrt(len(finds)) * w_key[finds], w_key
