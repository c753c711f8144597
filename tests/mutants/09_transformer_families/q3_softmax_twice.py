"""Probabilities in place of logits.

q3: 1 of 3: There is a softmax before the cross-entropy
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    masked = torch.where(chosen & (draw < 0.8), 3, tokens)
    return torch.where(chosen & (draw >= 0.8) & (draw < 0.9), random_tokens, masked)


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits.softmax(dim=-1)[chosen], tokens[chosen])
