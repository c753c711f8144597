"""Tensors all the way, heapq, zero_grad at the end.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
import torch.nn.functional as F
from torch import nn


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = torch.empty(0, dtype=torch.long), torch.zeros(())
    for _ in range(max_length):
        log, token = next_log_probabilities(tokens.tolist()).max(dim=0)
        tokens, total = torch.cat([tokens, token[None]]), total + log
        if token == eos_id:
            break
    return tokens, total


def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    beams, totals = [[]], torch.zeros(1, dtype=torch.float64)
    done, scores, logs_of = [], [], []
    for length in range(1, max_length + 1):
        norm = ((5 + length) / 6) ** length_penalty
        logs = torch.stack([next_log_probabilities(tokens) for tokens in beams])  # (beams, V)
        ranked, places = (totals[:, None] + logs).flatten().sort(descending=True, stable=True)
        ended = places % logs.shape[1] == eos_id
        for rank in range(min(beam, len(places))):
            if ended[rank] or length == max_length:
                done.append([*beams[places[rank] // logs.shape[1]], int(places[rank] % logs.shape[1])])
                scores.append(ranked[rank] / norm)
                logs_of.append(ranked[rank])
        onward = (~ended).nonzero()[:beam, 0]
        beams = [[*beams[places[i] // logs.shape[1]], int(places[i] % logs.shape[1])] for i in onward]
        totals = ranked[onward]
        if len(done) >= beam and totals[0] / norm <= max(scores):
            break
    best = torch.stack(scores).argmax()
    return done[best], logs_of[best].item()


def training_step(model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing):
    model = model.train()
    logits = model(src, F.pad(tgt, (1, -1), value=bos_id))
    loss = F.cross_entropy(logits.transpose(1, 2), tgt, ignore_index=pad_id, label_smoothing=label_smoothing)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    return loss
