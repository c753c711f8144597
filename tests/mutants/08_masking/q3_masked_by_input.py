"""Looks for the padding in tgt_in.

q3: 1 of 4: The loss leaves out the places where tgt_in is padding
"""

import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-1]], dim=1)
    tgt_out = tokens
    logits = predict(tgt_in)
    real = tgt_in != pad_id
    loss = F.cross_entropy(logits[real], tgt_out[real])
    return tgt_in, tgt_out, loss
