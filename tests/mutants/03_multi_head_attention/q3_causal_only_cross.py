"""Forgets the mask in self-attention.

q2: 4 of 4
q3: 1 of 3: Without a source: The mask changes nothing
"""

import math

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value, self.output = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(self, query, source=None, mask=None):
        mask = None if source is None else mask
        source = query if source is None else source
        q, k, v = self.query(query), self.key(source), self.value(source)
        q, k, v = (x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for x in (q, k, v))
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0.0)
        return self.output((weights @ v).transpose(1, 2).flatten(2)), weights
