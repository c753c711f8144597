"""The unit matrix.

q1: 0 of 3: Every position sees only itself
"""

import torch


def causal_mask(length):
    return torch.eye(length, dtype=torch.bool)
