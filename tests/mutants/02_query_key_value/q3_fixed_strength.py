"""A strength that does not grow.

q3: 2 of 3: make the scores larger (they are divided by
"""

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    return 40 * w_key[finds], w_key
