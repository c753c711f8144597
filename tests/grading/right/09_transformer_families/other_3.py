"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math
import torch
from torch import nn


class DecoderOnly(nn.Module):
    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.d_model = d_model
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.layers = nn.ModuleList([EncoderLayer(d_model, n_heads, d_ff) for i in range(n_layers)])
        self.norm = LayerNorm(d_model)
    def forward(self, tokens):
        T = tokens.size(1)
        x = self.embedding(tokens) * math.sqrt(self.d_model) + sinusoidal_table(T, self.d_model)
        mask = causal_mask(T)
        for layer in self.layers:
            x = layer(x, mask)
        x = self.norm(x)
        return torch.matmul(x, self.embedding.weight.t())
    @torch.no_grad()
    def generate(self, tokens, n_tokens):
        for i in range(n_tokens):
            logits = self.forward(tokens)
            last = logits[:, -1, :]
            new = torch.argmax(last, dim=-1).unsqueeze(1)
            tokens = torch.cat((tokens, new), dim=1)
        return tokens
