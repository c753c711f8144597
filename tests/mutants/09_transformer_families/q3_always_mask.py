"""No noise.

q3: 0 of 3: Every chosen place is MASK
"""

import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    return tokens.masked_fill(chosen, 3)


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits[chosen], tokens[chosen], reduction="sum") / chosen.sum().clamp(min=1)
