"""Key and query matrix exchanged.

q3: 0 of 3: The two matrices have changed places
"""

import math

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    return w_key, 20 * math.sqrt(len(finds)) * w_key[finds]
