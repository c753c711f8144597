"""Greedy is a beam of one; the optimizer gets a closure.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
from torch import nn


def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    alive, ended = [(0.0, [])], []
    for step in range(max_length):
        pool = [
            (total + log.item(), [*tokens, token])
            for total, tokens in alive
            for token, log in enumerate(next_log_probabilities(tuple(tokens)))
        ]
        pool = sorted(pool, key=lambda one: one[0], reverse=True)
        last, scale = step + 1 == max_length, ((6 + step) / 6) ** length_penalty
        ended += [(total / scale, total, tokens) for total, tokens in pool[:beam] if last or tokens[-1] == eos_id]
        alive = list(filter(lambda one: one[1][-1] != eos_id, pool))[:beam]
        if len(ended) >= beam and alive[0][0] / scale <= max(one[0] for one in ended):
            break
    _, total, tokens = max(ended, key=lambda one: one[0])
    return tokens, total


def greedy(next_log_probabilities, eos_id, max_length):
    return beam_search(next_log_probabilities, eos_id, max_length, 1, 0.0)


def training_step(model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing):
    def closure():
        optimizer.zero_grad()
        begin = torch.cat((tgt.new_full((len(tgt), 1), bos_id), tgt), dim=1)[:, :-1]
        loss_of = nn.CrossEntropyLoss(ignore_index=pad_id, label_smoothing=label_smoothing)
        loss = loss_of(model(src, begin).flatten(0, 1), tgt.reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        return loss

    model.train()
    return optimizer.step(closure).clone()
