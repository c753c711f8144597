"""Puts <s> in front and cuts the padding's last column only where there is one.

q3: 0 of 4: tgt_in is not tokens moved by one place
"""

import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-2], tokens[:, -1:]], dim=1)
    tgt_out = tokens
    logits = predict(tgt_in)
    real = tgt_out != pad_id
    loss = F.cross_entropy(logits[real], tgt_out[real])
    return tgt_in, tgt_out, loss
