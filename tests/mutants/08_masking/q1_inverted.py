"""True where attending is forbidden, as in nn.MultiheadAttention.

q1: 0 of 3: The causal mask is inverted
"""

import torch


def causal_mask(length):
    return torch.ones(length, length, dtype=torch.bool).triu(1)
