"""The plain form for question 1 alone.

q1: 3 of 3
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
