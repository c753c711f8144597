"""The mean of nothing.

q3: 2 of 3: If no place is chosen the loss is NaN
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    masked = torch.where(chosen & (draw < 0.8), 3, tokens)
    return torch.where(chosen & (draw >= 0.8) & (draw < 0.9), random_tokens, masked)


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits[chosen], tokens[chosen])
