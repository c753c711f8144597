"""The plain form, of which most wrong answers are edits.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import math

import torch

from lessons_lib.attention import scaled_dot_product_attention


def attend_with_cache(query, key, value, past):
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    new, n = query.shape[2], key.shape[2]
    mask = torch.ones(new, n, dtype=torch.bool).tril(n - new)
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)


def generate(step, prompt, n_tokens):
    text, new, start, past = prompt, prompt, 0, None
    for _ in range(n_tokens):
        logits, past = step(new, start, past)
        start += new.shape[1]
        new = logits[:, -1].argmax(-1, keepdim=True)
        text = torch.cat([text, new], dim=1)
    return text


def attention_over_blocks(query, blocks):
    largest, total, output = torch.full_like(query[..., :1], -torch.inf), 0.0, 0.0
    for keys, values in blocks:
        scores = query @ keys.transpose(-2, -1) / math.sqrt(query.shape[-1])
        larger = torch.maximum(largest, scores.amax(-1, keepdim=True))
        shrink, weights = (largest - larger).exp(), (scores - larger).exp()
        total = shrink * total + weights.sum(-1, keepdim=True)
        output = shrink * output + weights @ values
        largest = larger
    return output / total
