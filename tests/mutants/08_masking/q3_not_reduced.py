"""A loss for each place.

q3: 0 of 4: one number for each place
"""

import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-1]], dim=1)
    tgt_out = tokens
    logits = predict(tgt_in)
    loss = F.cross_entropy(logits.transpose(1, 2), tgt_out, reduction="none")
    return tgt_in, tgt_out, loss
