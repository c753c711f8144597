"""It scales the caller's query.

q3: 2 of 3: changes the caller's query
"""

import torch


def attention_over_blocks(query, blocks):
    query /= query.shape[-1] ** 0.5
    largest, total, output = torch.full_like(query[..., :1], -torch.inf), 0.0, 0.0
    for keys, values in blocks:
        scores = query @ keys.transpose(-2, -1)
        larger = torch.maximum(largest, scores.amax(-1, keepdim=True))
        weights, shrink = (scores - larger).exp(), (largest - larger).exp()
        total = shrink * total + weights.sum(-1, keepdim=True)
        output = shrink * output + weights @ values
        largest = larger
    return output / total
