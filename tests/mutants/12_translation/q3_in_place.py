"""Moves the caller's tokens.

q3: 0 of 3: the step changes the caller's tgt
"""

import torch.nn.functional as F
from torch import nn


def training_step(model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing):
    model.train()
    right = tgt.clone()
    tgt[:, 1:], tgt[:, 0] = right[:, :-1], bos_id
    tgt_in, tgt = tgt, right
    logits = model(src, tgt_in)
    real = tgt != pad_id
    loss = F.cross_entropy(logits[real], tgt[real], label_smoothing=label_smoothing)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()
    return loss.item()
