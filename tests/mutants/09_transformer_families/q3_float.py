"""Multiplied with a mask of floats.

q3: 2 of 3: mask_tokens gives float32
"""

import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    blank, noise = (chosen & (draw < 0.8)).float(), (chosen & (draw >= 0.8) & (draw < 0.9)).float()
    return 3 * blank + random_tokens * noise + tokens * (1 - blank - noise)


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits[chosen], tokens[chosen], reduction="sum") / chosen.sum().clamp(min=1)
