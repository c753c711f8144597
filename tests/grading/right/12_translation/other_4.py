"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
import torch.nn.functional as F
from torch import nn


def training_step(model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing):
    model.train()
    optimizer.zero_grad()
    bos = torch.full((tgt.size(0), 1), bos_id, dtype=tgt.dtype, device=tgt.device)
    tgt_in = torch.cat([bos, tgt[:, :-1]], dim=1)
    logits = model(src, tgt_in)
    loss = F.cross_entropy(logits.flatten(0, 1), tgt.flatten(), ignore_index=pad_id, label_smoothing=label_smoothing)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()
    return loss.item()
