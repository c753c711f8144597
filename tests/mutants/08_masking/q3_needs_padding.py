"""Fails where there is no padding.

q3: 3 of 4: Right with padding, but not where there is none
"""

import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-1]], dim=1)
    tgt_out = tokens
    logits = predict(tgt_in)
    real = tgt_out != pad_id
    loss = F.cross_entropy(logits[real], tgt_out[real]) / (1 if (~real).any() else 2)
    return tgt_in, tgt_out, loss
