"""No strength.

q3: 2 of 3: too faint: of 40 words one gives the right one only 0.03
"""

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    return w_key[finds], w_key
