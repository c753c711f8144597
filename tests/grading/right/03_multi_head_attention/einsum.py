"""Axes by name; the weights of the layers are used without calling them.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
from torch import nn


def split_heads(x, n_heads):
    return torch.einsum("bthk->bhtk", x.reshape(*x.shape[:2], n_heads, x.shape[2] // n_heads))


def merge_heads(heads):
    return torch.einsum("bhtk->bthk", heads).reshape(len(heads), heads.shape[2], -1)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.value, self.output = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)

    def heads(self, layer, x):
        weight = layer.weight.unflatten(0, (self.n_heads, -1))
        return torch.einsum("bti,hki->bhtk", x, weight) + layer.bias.view(self.n_heads, 1, -1)

    def forward(self, query, source=None, mask=None):
        source = query if source is None else source
        q, k, v = self.heads(self.query, query), self.heads(self.key, source), self.heads(self.value, source)
        scores = torch.einsum("bhtk,bhsk->bhts", q, k) / q.shape[-1] ** 0.5
        mask = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand_as(scores)
        highest = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).amax(dim=-1, keepdim=True)
        powers = (scores - highest).masked_fill(~mask, float("-inf")).exp()
        total = powers.sum(dim=-1, keepdim=True)
        weights = powers / total.masked_fill(total == 0, 1.0)
        out = self.output.weight.unflatten(1, (self.n_heads, -1))
        mixed = torch.einsum("bhts,bhsk,ohk->bto", weights, v, out)
        return mixed + self.output.bias, weights
