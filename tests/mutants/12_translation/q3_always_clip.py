"""Every gradient gets the same norm.

q3: 0 of 3: The gradient always gets the norm clip_norm
"""

import torch
import torch.nn.functional as F


def training_step(model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing):
    model.train()
    tgt_in = torch.cat([torch.full_like(tgt[:, :1], bos_id), tgt[:, :-1]], dim=1)
    logits = model(src, tgt_in)
    real = tgt != pad_id
    loss = F.cross_entropy(logits[real], tgt[real], label_smoothing=label_smoothing)
    optimizer.zero_grad()
    loss.backward()
    norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
    for p in model.parameters():
        p.grad *= clip_norm / norm
    optimizer.step()
    return loss.item()
