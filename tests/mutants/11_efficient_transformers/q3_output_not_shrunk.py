"""Only the sum is corrected.

q3: 0 of 3: the output so far is not made smaller
"""

import math

import torch


def attention_over_blocks(query, blocks):
    largest, total, output = torch.full_like(query[..., :1], -torch.inf), 0.0, 0.0
    for keys, values in blocks:
        scores = query @ keys.transpose(-2, -1) / math.sqrt(query.shape[-1])
        larger = torch.maximum(largest, scores.amax(-1, keepdim=True))
        weights, shrink = (scores - larger).exp(), (largest - larger).exp()
        total = shrink * total + weights.sum(-1, keepdim=True)
        output = output + weights @ values
        largest = larger
    return output / total
