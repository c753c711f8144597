"""The plain form, of which most wrong answers are edits.

q1: 3 of 3
q2: 3 of 3
q3: 4 of 4
"""

import math

import torch
import torch.nn.functional as F


def causal_mask(length):
    return torch.ones(length, length, dtype=torch.bool).tril()


def padding_mask(tokens, pad_id):
    return (tokens != pad_id)[:, None, None, :]


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = torch.cat([torch.full_like(tokens[:, :1], bos_id), tokens[:, :-1]], dim=1)
    tgt_out = tokens
    logits = predict(tgt_in)
    real = tgt_out != pad_id
    loss = F.cross_entropy(logits[real], tgt_out[real])
    return tgt_in, tgt_out, loss
