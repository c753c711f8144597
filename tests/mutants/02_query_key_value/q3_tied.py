"""One matrix for both.

q3: 0 of 3: w_query and w_key are equal
"""

import torch


def lookup_matrices(finds):
    w_key = 20 * torch.eye(len(finds))
    return w_key[finds], w_key[finds]
