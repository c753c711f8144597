"""The plain form, of which most wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from lessons_lib.grading import check

EncoderLayer, LayerNorm, sinusoidal_table, padding_mask, causal_mask = check.part(
    "EncoderLayer", "LayerNorm", "sinusoidal_table", "padding_mask", "causal_mask"
)


class EncoderOnly(nn.Module):
    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.layers = nn.ModuleList(EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers))
        self.norm = LayerNorm(d_model)

    def forward(self, tokens):
        x = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        x = x + sinusoidal_table(tokens.shape[1], x.shape[2])
        mask = padding_mask(tokens, 0)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x) @ self.embedding.weight.T


class DecoderOnly(nn.Module):
    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.layers = nn.ModuleList(EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers))
        self.norm = LayerNorm(d_model)

    def forward(self, tokens):
        x = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        x = x + sinusoidal_table(tokens.shape[1], x.shape[2])
        mask = causal_mask(tokens.shape[1])
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x) @ self.embedding.weight.T

    def generate(self, tokens, n_tokens):
        for _ in range(n_tokens):
            tokens = torch.cat([tokens, self(tokens)[:, -1:].argmax(-1)], dim=1)
        return tokens


def mask_tokens(tokens, asked, draw, random_tokens):
    masked = torch.where(asked & (draw < 0.8), 3, tokens)
    return torch.where(asked & (draw >= 0.8) & (draw < 0.9), random_tokens, masked)


def masked_loss(logits, tokens, asked):
    return F.cross_entropy(logits[asked], tokens[asked], reduction="sum") / asked.sum().clamp(min=1)
