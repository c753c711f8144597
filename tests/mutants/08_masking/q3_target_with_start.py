"""<s> in front of the targets.

q3: 0 of 4: tgt_out begins with bos_id
"""

import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-1]], dim=1)
    tgt_out = F.pad(tokens, (1, 0), value=bos_id)
    logits = F.pad(predict(tgt_in), (0, 0, 1, 0))
    real = tgt_out != pad_id
    loss = F.cross_entropy(logits[real], tgt_out[real])
    return tgt_in, tgt_out, loss
