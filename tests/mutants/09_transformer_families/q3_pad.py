"""The wrong id.

q3: 0 of 3: The blank is PAD
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    noisy = torch.where(chosen & (draw < 0.9), random_tokens, tokens)
    return torch.where(chosen & (draw < 0.8), 0, noisy)


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits[chosen], tokens[chosen], reduction="sum") / chosen.sum().clamp(min=1)
