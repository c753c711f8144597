"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math
import torch.nn.functional as F
from torch import nn


class EncoderOnly(nn.Module):
    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.d_model = d_model
        self.norm = LayerNorm(d_model)
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.layers = nn.ModuleList([EncoderLayer(d_model, n_heads, d_ff) for i in range(n_layers)])
    def forward(self, tokens):
        S = tokens.size(1)
        x = self.embedding(tokens) * math.sqrt(self.d_model) + sinusoidal_table(S, self.d_model)
        mask = padding_mask(tokens, PAD)
        for layer in self.layers:
            x = layer(x, mask)
        x = self.norm(x)
        return F.linear(x, self.embedding.weight)
