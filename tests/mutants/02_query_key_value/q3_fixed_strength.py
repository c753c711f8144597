"""A strength that does not grow.

q3: 2 of 3: of its weight to what it should find
"""

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    return 40 * w_key[finds], w_key
