"""The neighbour of the blank.

q3: 1 of 3: The logits are compared with the token behind
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    masked = torch.where(chosen & (draw < 0.8), 3, tokens)
    return torch.where(chosen & (draw >= 0.8) & (draw < 0.9), random_tokens, masked)


def masked_loss(logits, tokens, chosen):
    logits, tokens, chosen = logits[:, :-1], tokens[:, 1:], chosen[:, :-1]
    return F.cross_entropy(logits[chosen], tokens[chosen])
