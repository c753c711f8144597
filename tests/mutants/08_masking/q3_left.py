"""Moved the wrong way.

q3: 0 of 4: tgt_in is moved to the left
"""

import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = F.pad(tokens[:, 1:], (0, 1), value=pad_id)
    tgt_out = tokens
    logits = predict(tgt_in)
    real = tgt_out != pad_id
    loss = F.cross_entropy(logits[real], tgt_out[real])
    return tgt_in, tgt_out, loss
