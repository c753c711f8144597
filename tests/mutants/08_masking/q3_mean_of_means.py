"""The mean of the sentences' means.

q3: 1 of 4: The loss is the mean of each sentence's mean
"""

import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-1]], dim=1)
    tgt_out = tokens
    logits = predict(tgt_in)
    real = tgt_out != pad_id
    loss = torch.stack(
        [F.cross_entropy(logit[keep], out[keep]) for logit, out, keep in zip(logits, tgt_out, real, strict=True)]
    ).mean()
    return tgt_in, tgt_out, loss
