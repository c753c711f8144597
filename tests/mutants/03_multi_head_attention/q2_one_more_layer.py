"""A layer that nobody asked for.

q2: 0 of 4: there is a parameter norm.weight too many
"""

import math

from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value, self.output = (nn.Linear(d_model, d_model) for _ in range(4))
        self.norm = nn.LayerNorm(d_model)

    def forward(self, query, source=None, mask=None):
        source = query if source is None else source
        q, k, v = self.query(query), self.key(source), self.value(source)
        q, k, v = (x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for x in (q, k, v))
        weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(dim=-1)
        return self.output((weights @ v).transpose(1, 2).flatten(2)), None
