"""The padding is asked for.

q3: 1 of 4: The padding is counted in the loss
"""

import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-1]], dim=1)
    tgt_out = tokens
    logits = predict(tgt_in)
    loss = F.cross_entropy(logits.flatten(0, 1), tgt_out.flatten())
    return tgt_in, tgt_out, loss
