"""The product in place of the two.

q3: 0 of 3: returns one tensor where 2 are due
"""

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    return 1000 * w_key[finds] @ w_key.T
