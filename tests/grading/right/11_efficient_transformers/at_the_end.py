"""A cache of lists, a recursion, and blocks that are weighed against each other at the end.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import torch


def attend_with_cache(query, key, value, past):
    kept = tuple(
        torch.stack([*(old.unbind(2) if old is not None else ()), *new.unbind(2)], dim=2)
        for old, new in zip(past or (None, None), (key, value), strict=True)
    )
    n, new = kept[0].shape[2], query.shape[2]
    scores = torch.einsum("bhtk,bhsk->bhts", query, kept[0]) / query.shape[-1] ** 0.5
    scores = scores.masked_fill(torch.ones(new, n).triu(n - new + 1).bool(), -torch.inf)
    return torch.einsum("bhts,bhsk->bhtk", scores.softmax(-1), kept[1]), kept


def generate(step, prompt, n_tokens, start=0, past=None):
    if n_tokens == 0:
        return prompt
    logits, past = step(prompt, start, past)
    new = logits[:, -1].argmax(-1)[:, None]
    return torch.cat([prompt, generate(step, new, n_tokens - 1, start + prompt.shape[1], past)], 1)


def attention_over_blocks(query, blocks):
    parts = []
    for keys, values in blocks:
        scores = query @ keys.mT / query.shape[-1] ** 0.5
        top = scores.amax(-1, keepdim=True)
        weights = (scores - top).exp()
        parts.append((top, weights.sum(-1, keepdim=True), weights @ values))  # small: nothing as long as the keys
    tops, totals, outputs = (torch.stack(column) for column in zip(*parts, strict=True))
    scale = (tops - tops.amax(0)).exp()
    return (scale * outputs).sum(0) / (scale * totals).sum(0)
