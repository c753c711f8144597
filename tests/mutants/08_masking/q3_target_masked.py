"""Marks the padding for ignore_index, and gives the marks back.

q3: 0 of 4: tgt_out must be tokens as they are
"""

import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-1]], dim=1)
    tgt_out = tokens.masked_fill(tokens == pad_id, -100)
    logits = predict(tgt_in)
    loss = F.cross_entropy(logits.flatten(0, 1), tgt_out.flatten())
    return tgt_in, tgt_out, loss
