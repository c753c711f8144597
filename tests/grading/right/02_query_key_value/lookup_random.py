"""Random directions: in 512 dimensions they hardly meet.

q3: 3 of 3
"""

import torch


def lookup_matrices(finds):
    w_key = torch.randn(len(finds), 512)
    return 3 * w_key[finds], w_key
