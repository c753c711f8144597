"""An infinite strength.

q3: 0 of 3: must hold finite numbers
"""

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    return w_key[finds] * float("inf"), w_key
