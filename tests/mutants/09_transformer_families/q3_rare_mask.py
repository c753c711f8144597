"""The comparison the wrong way round.

q3: 0 of 3: The rare case is masked
"""

import torch.nn.functional as F


def mask_tokens(tokens, chosen, draw, random_tokens):
    return tokens.masked_fill(chosen & (draw >= 0.8), 3)


def masked_loss(logits, tokens, chosen):
    return F.cross_entropy(logits[chosen], tokens[chosen], reduction="sum") / chosen.sum().clamp(min=1)
