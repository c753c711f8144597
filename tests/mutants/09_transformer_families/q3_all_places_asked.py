"""The mean over everything.

q3: 1 of 3: The loss is the mean over all places
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    masked = torch.where(chosen & (draw < 0.8), 3, tokens)
    return torch.where(chosen & (draw >= 0.8) & (draw < 0.9), random_tokens, masked)


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits.flatten(0, 1), tokens.flatten())
