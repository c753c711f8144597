"""Two passes.

q3: 0 of 3: 2 steps call the model 4 times
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
    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()
    model(src, tgt_in)
    return loss.item()
