"""Post-norm, as published in 2017.

q1: 0 of 3: This is post-norm
"""

from torch import nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.feedforward import FeedForward
from lessons_lib.norms import LayerNorm


class EncoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention_norm = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward_norm = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff)

    def forward(self, x, mask=None):
        x = self.attention_norm(x + self.attention(x, x, mask)[0])
        return self.feed_forward_norm(x + self.feed_forward(x))
