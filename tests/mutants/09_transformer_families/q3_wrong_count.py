"""Zeros are counted.

q3: 1 of 3: The sum over the chosen places is divided by the number of all
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    masked = torch.where(chosen & (draw < 0.8), 3, tokens)
    return torch.where(chosen & (draw >= 0.8) & (draw < 0.9), random_tokens, masked)


def masked_loss(logits, tokens, chosen):
    losses = F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none")
    return (losses * chosen).mean()
