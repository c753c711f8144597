"""The solution of exercise 1 with an axis more.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
from torch import nn


def attention(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        bias = torch.zeros_like(scores).masked_fill(~mask, torch.finfo(scores.dtype).min / 2)
        weights = (scores + bias).softmax(dim=-1) * mask
    return weights @ value, weights


def split_heads(x, n_heads):
    batch, words, d_model = x.size()
    return x.view(batch, words, n_heads, d_model // n_heads).permute(0, 2, 1, 3)


def merge_heads(heads):
    batch, n_heads, words, d_head = heads.size()
    return heads.permute(0, 2, 1, 3).contiguous().view(batch, words, n_heads * d_head)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"d_model={d_model} is not divisible by n_heads={n_heads}")
        self.heads = n_heads
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)

    def forward(self, query, source=None, mask=None):
        if source is None:
            source = query
        q, k, v = (split_heads(x, self.heads) for x in (self.query(query), self.key(source), self.value(source)))
        mixed, weights = attention(q, k, v, mask)
        return self.output(merge_heads(mixed)), weights
