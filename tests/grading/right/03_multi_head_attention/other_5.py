"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math
import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.d_head = d_model // n_heads
        self.output = nn.Linear(d_model, d_model)
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
    def forward(self, query, source=None, mask=None):
        if source is None:
            source = query
        B, T, D = query.shape
        S = source.shape[1]
        q = self.query(query).view(B, T, self.n_heads, self.d_head).transpose(1, 2)
        k = self.key(source).view(B, S, self.n_heads, self.d_head).transpose(1, 2)
        v = self.value(source).view(B, S, self.n_heads, self.d_head).transpose(1, 2)
        scores = q @ k.transpose(2, 3) / math.sqrt(self.d_head)
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = torch.softmax(scores, dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0)
        out = weights @ v
        out = out.transpose(1, 2).reshape(B, T, D)
        return self.output(out), weights
