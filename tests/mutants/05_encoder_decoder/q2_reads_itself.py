"""Cross-attention without a source.

q2: 0 of 4: Cross-attention reads the target itself
"""

from torch import nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.feedforward import FeedForward
from lessons_lib.norms import LayerNorm


class DecoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention_norm = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention_norm = LayerNorm(d_model)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward_norm = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff)

    def forward(self, x, memory, mask=None, memory_mask=None):
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, mask)[0]
        x = x + self.cross_attention(self.cross_attention_norm(x))[0]
        return x + self.feed_forward(self.feed_forward_norm(x))
