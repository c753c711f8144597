"""The plain form, of which most wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.feedforward import FeedForward
from lessons_lib.masks import causal_mask, padding_mask
from lessons_lib.norms import LayerNorm
from lessons_lib.positions import sinusoidal_table


class EncoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention_norm = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward_norm = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff)

    def forward(self, x, mask=None):
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, mask)[0]
        return x + self.feed_forward(self.feed_forward_norm(x))


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
        x = x + self.cross_attention(self.cross_attention_norm(x), memory, memory_mask)[0]
        return x + self.feed_forward(self.feed_forward_norm(x))


class EncoderDecoder(nn.Module):
    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.d_model = d_model
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.encoder_layers = nn.ModuleList(EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers))
        self.encoder_norm = LayerNorm(d_model)
        self.decoder_layers = nn.ModuleList(DecoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers))
        self.decoder_norm = LayerNorm(d_model)

    def forward(self, src, tgt):
        return self.decode(tgt, self.encode(src), padding_mask(src, 0))

    def embed(self, tokens):
        return self.embedding(tokens) * math.sqrt(self.d_model) + sinusoidal_table(tokens.shape[1], self.d_model)

    def encode(self, src):
        x, mask = self.embed(src), padding_mask(src, 0)
        for layer in self.encoder_layers:
            x = layer(x, mask)
        return self.encoder_norm(x)

    def decode(self, tgt, memory, memory_mask):
        x, mask = self.embed(tgt), causal_mask(tgt.shape[1])
        for layer in self.decoder_layers:
            x = layer(x, memory, mask, memory_mask)
        return self.decoder_norm(x) @ self.embedding.weight.T
