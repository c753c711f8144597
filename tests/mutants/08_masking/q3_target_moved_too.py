"""Moves both.

q3: 0 of 4: tgt_out is moved to the left, as well as tgt_in to the right
"""

import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-1]], dim=1)
    tgt_out = F.pad(tokens[:, 1:], (0, 1), value=pad_id)
    logits = predict(tgt_in)
    real = tgt_out != pad_id
    loss = F.cross_entropy(logits[real], tgt_out[real])
    return tgt_in, tgt_out, loss
