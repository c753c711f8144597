"""Calls the library's loss.

q3: 0 of 4: the answer calls lessons_lib.translation.training.losses.smoothed_cross_entropy
"""

import torch

from lessons_lib.translation.training.losses import smoothed_cross_entropy


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-1]], dim=1)
    tgt_out = tokens
    logits = predict(tgt_in)
    real = tgt_out != pad_id
    loss = smoothed_cross_entropy(logits[real], tgt_out[real], 0.0)
    return tgt_in, tgt_out, loss
