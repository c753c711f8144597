"""The plain form, of which most wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math
import random

import torch
import torch.nn.functional as F
from torch import nn


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens)
        best = logs.argmax().item()
        tokens.append(best)
        total += logs[best].item()
        if best == eos_id:
            break
    return tokens, total


def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    def score(tokens, total):
        return total / ((5 + len(tokens)) / 6) ** length_penalty

    beams, finished = [([], 0.0)], []
    for length in range(1, max_length + 1):
        candidates = []
        for tokens, total in beams:
            logs = next_log_probabilities(tokens).tolist()
            candidates += [([*tokens, token], total + log) for token, log in enumerate(logs)]
        candidates.sort(key=lambda one: -one[1])
        finished += [one for one in candidates[:beam] if one[0][-1] == eos_id or length == max_length]
        beams = [one for one in candidates if one[0][-1] != eos_id][:beam]
        if len(finished) >= beam and score(*beams[0]) <= max(score(*one) for one in finished):
            break
    return max(finished, key=lambda one: score(*one))


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
    return loss.item()
