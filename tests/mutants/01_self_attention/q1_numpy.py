"""Leaves PyTorch for NumPy, and gradients behind.

q1: 2 of 3: No gradient flows, so nothing could be trained: RuntimeError on line
"""

import math

import torch


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    scores = torch.from_numpy(scores.numpy())
    weights = scores.softmax(dim=-1)
    output = weights @ value
    return output, weights
