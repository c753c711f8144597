"""Einstein summation.

q1: 3 of 3
q2: 4 of 4
"""

import torch


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = torch.einsum("...td,...sd->...ts", query, key) * query.shape[-1] ** -0.5
    allowed = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand(scores.shape)
    weights = torch.softmax(torch.where(allowed, scores, torch.finfo(scores.dtype).min), dim=-1)
    weights = weights * allowed
    return torch.einsum("...ts,...sv->...tv", weights, value), weights
