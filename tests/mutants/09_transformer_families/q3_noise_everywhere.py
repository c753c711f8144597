"""Chosen is asked once only.

q3: 0 of 3: Random tokens are everywhere
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    masked = tokens.masked_fill(chosen & (draw < 0.8), 3)
    return torch.where((draw >= 0.8) & (draw < 0.9), random_tokens, masked)


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits[chosen], tokens[chosen], reduction="sum") / chosen.sum().clamp(min=1)
