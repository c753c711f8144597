"""Attention, norm and feed-forward network of its own, under the same names.

q1: 3 of 3
q2: 4 of 4
"""

import torch
import torch.nn.functional as F
from torch import nn


class Norm(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model))

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.gamma, self.beta)


class Attention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value, self.output = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(self, x, source, mask):
        query, key, value = self.query(x), self.key(source), self.value(source)
        query, key, value = (y.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for y in (query, key, value))
        return self.output(F.scaled_dot_product_attention(query, key, value, mask).transpose(1, 2).flatten(2))


class Network(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.expand, self.contract = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)

    def forward(self, x):
        return self.contract(self.expand(x).relu())


class EncoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention_norm, self.feed_forward_norm = Norm(d_model), Norm(d_model)
        self.attention, self.feed_forward = Attention(d_model, n_heads), Network(d_model, d_ff)

    def forward(self, x, mask=None):
        normed = self.attention_norm(x)
        y = x + self.attention(normed, normed, mask)
        return y + self.feed_forward(self.feed_forward_norm(y))


class DecoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        for name in ("attention", "cross_attention", "feed_forward"):
            self.add_module(f"{name}_norm", Norm(d_model))
        self.attention, self.cross_attention = Attention(d_model, n_heads), Attention(d_model, n_heads)
        self.feed_forward = Network(d_model, d_ff)

    def forward(self, x, memory, mask=None, memory_mask=None):
        normed = self.attention_norm(x)
        y = x + self.attention(normed, normed, mask)
        z = y + self.cross_attention(self.cross_attention_norm(y), memory, memory_mask)
        return z + self.feed_forward(self.feed_forward_norm(z))
