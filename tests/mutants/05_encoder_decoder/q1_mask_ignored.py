"""The mask is not handed on.

q1: 2 of 3: The mask changes nothing
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
        normed = self.attention_norm(x)
        x = x + self.attention(normed)[0]
        return x + self.feed_forward(self.feed_forward_norm(x))
