"""The library's parts, its masks and table among them; tables made once.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
from torch import nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.feedforward import FeedForward
from lessons_lib.norms import LayerNorm
from lessons_lib.positions import sinusoidal_table


class EncoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention, self.attention_norm = MultiHeadAttention(d_model, n_heads), LayerNorm(d_model)
        self.feed_forward, self.feed_forward_norm = FeedForward(d_model, d_ff), LayerNorm(d_model)

    def forward(self, x, mask=None):
        x = x + self.attention(self.attention_norm(x), mask=mask)[0]
        return x + self.feed_forward(self.feed_forward_norm(x))


class Model(nn.Module):
    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.register_buffer("places", sinusoidal_table(64, d_model))
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.layers = nn.ModuleList(EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers))
        self.norm = LayerNorm(d_model)

    def run(self, tokens, mask):
        x = self.embedding(tokens) * self.places.shape[1] ** 0.5 + self.places[: tokens.shape[1]]
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x) @ self.embedding.weight.mT


class EncoderOnly(Model):
    def forward(self, tokens):
        return self.run(tokens, (tokens != 0)[:, None, None])


class DecoderOnly(Model):
    def forward(self, tokens):
        position = torch.arange(tokens.shape[1])
        return self.run(tokens, position[:, None] >= position)

    @torch.no_grad()
    def generate(self, tokens, n_tokens):
        written = [*tokens.unbind(1)]
        for _ in range(n_tokens):
            written.append(self(torch.stack(written, dim=1))[:, -1].max(dim=-1).indices)
        return torch.stack(written, dim=1)


def mask_tokens(tokens, asked, draw, random_tokens):
    changed = torch.where(draw < 0.8, torch.full_like(tokens, 3), torch.where(draw < 0.9, random_tokens, tokens))
    return torch.where(asked, changed, tokens)


def masked_loss(logits, tokens, asked):
    surprise = -logits.log_softmax(dim=-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return (surprise * asked).sum() / torch.clamp(asked.sum(), min=1)
