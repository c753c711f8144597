"""Loops, and logarithms by hand.

q1: 3 of 3
q2: 3 of 3
q3: 4 of 4
"""

import torch


def causal_mask(length):
    mask = torch.zeros(length, length, dtype=torch.bool)
    for t in range(length):
        for s in range(t + 1):
            mask[t, s] = True
    return mask


def padding_mask(tokens, pad_id):
    return torch.tensor([[[[token != pad_id for token in row]]] for row in tokens.tolist()], device=tokens.device)


def next_token_loss(tokens, predict, bos_id, pad_id):
    rows = [[bos_id, *row[:-1]] for row in tokens.tolist()]
    tgt_in = torch.tensor(rows, device=tokens.device)
    logs = predict(tgt_in).log_softmax(dim=-1)
    total, count = 0.0, 0
    for b, row in enumerate(tokens.tolist()):
        for t, token in enumerate(row):
            if token != pad_id:
                total, count = total - logs[b, t, token], count + 1
    return tgt_in, tokens, total / count
