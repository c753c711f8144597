"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch.nn.functional as F
from torch import nn


class EncoderDecoder(nn.Module):
    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.d_model = d_model
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.encoder_layers = nn.ModuleList(EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers))
        self.encoder_norm = LayerNorm(d_model)
        self.decoder_layers = nn.ModuleList(DecoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers))
        self.decoder_norm = LayerNorm(d_model)
    def embed(self, tokens):
        B, T = tokens.shape
        e = self.embedding(tokens)
        e = e * self.d_model ** 0.5
        return e + sinusoidal_table(T, self.d_model)
    def encode(self, src):
        x = self.embed(src)
        m = padding_mask(src, PAD)
        for l in self.encoder_layers:
            x = l(x, m)
        x = self.encoder_norm(x)
        return x
    def decode(self, tgt, memory, memory_mask):
        y = self.embed(tgt)
        c = causal_mask(tgt.size(1))
        for l in self.decoder_layers:
            y = l(y, memory, c, memory_mask)
        y = self.decoder_norm(y)
        return F.linear(y, self.embedding.weight)
    def forward(self, src, tgt):
        return self.decode(tgt, self.encode(src), padding_mask(src, PAD))
