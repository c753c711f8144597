"""Token by token, query by query, key by key.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import torch

from lessons_lib.attention import scaled_dot_product_attention


def attend_with_cache(query, key, value, past):
    rows = []
    for t in range(query.shape[2]):
        new = key[:, :, t : t + 1].clone(), value[:, :, t : t + 1].clone()
        past = new if past is None else (torch.cat([past[0], new[0]], 2), torch.cat([past[1], new[1]], 2))
        rows.append(scaled_dot_product_attention(query[:, :, t : t + 1], *past)[0])
    return torch.cat(rows, 2), past


def generate(step, prompt, n_tokens):
    text = torch.empty(len(prompt), prompt.shape[1] + n_tokens, dtype=torch.long)
    text[:, : prompt.shape[1]] = prompt
    past, read = None, 0
    for place in range(prompt.shape[1], text.shape[1]):
        logits, past = step(text[:, read:place], read, past)
        read = place
        text[:, place] = logits[:, -1].max(-1).indices
    return text


def attention_over_blocks(query, blocks):
    query = query / query.shape[-1] ** 0.5
    largest = query.new_full(query.shape[:2], -torch.inf)
    total, output = torch.zeros_like(largest), None
    for keys, values in blocks:
        if output is None:
            output = query.new_zeros(*query.shape[:2], values.shape[-1])
        for n in range(keys.shape[1]):
            score = (query * keys[:, n : n + 1]).sum(-1)
            larger = torch.maximum(largest, score)
            old, new = (largest - larger).exp(), (score - larger).exp()
            largest, total = larger, total * old + new
            output = output * old[..., None] + new[..., None] * values[:, n : n + 1]
    return output / total[..., None]
