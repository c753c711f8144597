"""Clips after the step.

q3: 1 of 3: The gradient is not clipped when the step is taken
"""

import torch
import torch.nn.functional as F
from torch import nn


def training_step(model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing):
    model.train()
    tgt_in = torch.cat([torch.full_like(tgt[:, :1], bos_id), tgt[:, :-1]], dim=1)
    logits = model(src, tgt_in)
    real = tgt != pad_id
    loss = F.cross_entropy(logits[real], tgt[real], label_smoothing=label_smoothing)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    return loss.item()
