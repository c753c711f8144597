"""The caller's tokens are changed.

q3: 2 of 3: Your function changes the caller's tokens
"""

import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    noise = chosen & (draw >= 0.8) & (draw < 0.9)
    tokens[noise] = random_tokens[noise]
    return tokens.masked_fill_(chosen & (draw < 0.8), 3)


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits[chosen], tokens[chosen], reduction="sum") / chosen.sum().clamp(min=1)
