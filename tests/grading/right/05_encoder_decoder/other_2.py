"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
from torch import nn


class DecoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.attention_norm = LayerNorm(d_model)
        self.cross_attention_norm = LayerNorm(d_model)
        self.feed_forward_norm = LayerNorm(d_model)
    def forward(self, x, memory, mask=None, memory_mask=None):
        h = self.attention_norm(x)
        x = x + self.attention(h, h, mask)[0]
        h = self.cross_attention_norm(x)
        x = x + self.cross_attention(h, memory, memory_mask)[0]
        h = self.feed_forward_norm(x)
        return x + self.feed_forward(h)
