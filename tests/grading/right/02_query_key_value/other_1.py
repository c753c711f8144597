"""Another form, of which some wrong answers are edits.

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
        self.d_head = d_head
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)
    def project(self, x, source=None):
        if source is None:
            source = x
        q = self.query(x)
        k = self.key(source)
        v = self.value(source)
        return q, k, v
    def forward(self, x, source=None):
        q, k, v = self.project(x, source)
        s = torch.matmul(q, k.transpose(-1, -2)) / self.d_head ** 0.5
        w = F.softmax(s, dim=-1)
        return torch.matmul(w, v), w
