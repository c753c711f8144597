"""The log-probability itself.

q3: 1 of 3: The sign is wrong
"""

import torch


def mask_tokens(tokens, chosen, draw, random_tokens):
    masked = torch.where(chosen & (draw < 0.8), 3, tokens)
    return torch.where(chosen & (draw >= 0.8) & (draw < 0.9), random_tokens, masked)


def masked_loss(logits, tokens, chosen):
    return logits.log_softmax(dim=-1).gather(2, tokens[..., None])[..., 0][chosen].mean()
