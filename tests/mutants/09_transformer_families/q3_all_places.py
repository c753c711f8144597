"""Nobody asks what was chosen.

q3: 0 of 3: All places are changed
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    return torch.where(draw < 0.8, 3, torch.where(draw < 0.9, random_tokens, tokens))


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits[chosen], tokens[chosen], reduction="sum") / chosen.sum().clamp(min=1)
