"""A decoder under the name of an encoder.

q1: 0 of 3: The mask is causal: that is for a decoder
"""

import math

import torch
from torch import nn

from lessons_lib.grading import check

EncoderLayer, LayerNorm, sinusoidal_table = check.part("EncoderLayer", "LayerNorm", "sinusoidal_table")


class EncoderOnly(nn.Module):
    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.layers = nn.ModuleList(EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers))
        self.norm = LayerNorm(d_model)

    def forward(self, tokens):
        x = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        x = x + sinusoidal_table(tokens.shape[1], x.shape[2])
        mask = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).tril()
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x) @ self.embedding.weight.T
