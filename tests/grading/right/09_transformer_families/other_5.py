"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
import torch.nn.functional as F


def mask_tokens(tokens, asked, draw, random_tokens):
    out = tokens.clone()
    out[asked & (draw < 0.8)] = BLANK
    r = asked & (draw >= 0.8) & (draw < 0.9)
    out[r] = random_tokens[r]
    return out
def masked_loss(logits, tokens, asked):
    if not asked.any(): return logits.sum() * 0
    return F.cross_entropy(logits[asked], tokens[asked])
