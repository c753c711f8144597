"""A feed-forward network of a fixed width.

q1: 0 of 3: feed_forward.expand.weight has the shape (64,
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
        self.feed_forward = FeedForward(d_model, 64)

    def forward(self, x, mask=None):
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, mask)[0]
        return x + self.feed_forward(self.feed_forward_norm(x))
