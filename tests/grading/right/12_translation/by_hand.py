"""Recursion, dictionaries, and the loss and the clipping by hand.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch


def greedy(next_log_probabilities, eos_id, max_length, tokens=()):
    if len(tokens) == max_length or eos_id in tokens:
        return list(tokens), 0.0
    logs = next_log_probabilities(list(tokens)).tolist()
    best = max(range(len(logs)), key=lambda token: (logs[token], -token))
    rest, total = greedy(next_log_probabilities, eos_id, max_length, (*tokens, best))
    return rest, logs[best] + total


def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    def score(item):
        return item[1] * (6 / (5 + len(item[0]))) ** length_penalty

    beams, finished = {(): 0.0}, {}
    for length in range(max_length):
        children = {}
        for tokens, total in beams.items():
            for token, log in enumerate(next_log_probabilities(list(tokens))):
                children[*tokens, token] = total + float(log)
        ranked = sorted(children.items(), key=lambda item: item[1], reverse=True)
        finished |= {t: x for t, x in ranked[:beam] if t[-1] == eos_id or length == max_length - 1}
        beams = dict([item for item in ranked if item[0][-1] != eos_id][:beam])
        if len(finished) >= beam and all(max(map(score, finished.items())) >= score(item) for item in beams.items()):
            break
    return max(finished.items(), key=score)


def training_step(model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing):
    for parameter in model.parameters():
        parameter.grad = None
    model.train(True)
    read = tgt.roll(1, dims=1)
    read[:, 0] = bos_id
    logs = model(src, read).log_softmax(-1)
    right = logs.gather(2, tgt[..., None])[..., 0]
    wanted = (1 - label_smoothing) * right + label_smoothing * logs.mean(-1)
    real = (tgt != pad_id).to(logs.dtype)
    loss = -(wanted * real).sum() / real.sum()
    loss.backward()
    norm = torch.sqrt(sum((p.grad**2).sum() for p in model.parameters()))
    for parameter in model.parameters():
        parameter.grad *= (clip_norm / (norm + 1e-6)).clamp(max=1)
    optimizer.step()
    return loss.item()
