"""Two cases, the other two.

q3: 0 of 3: No chosen token stays itself
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    return torch.where(chosen, torch.where(draw < 0.8, 3, random_tokens), tokens)


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits[chosen], tokens[chosen], reduction="sum") / chosen.sum().clamp(min=1)
