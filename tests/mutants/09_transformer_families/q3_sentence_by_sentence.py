"""A mean of means.

q3: 1 of 3: The mean is taken in each sentence first
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    masked = torch.where(chosen & (draw < 0.8), 3, tokens)
    return torch.where(chosen & (draw >= 0.8) & (draw < 0.9), random_tokens, masked)


def masked_loss(logits, tokens, chosen):
    rows = [F.cross_entropy(g[c], t[c]) for g, t, c in zip(logits, tokens, chosen, strict=True)]
    return torch.stack(rows).mean()
