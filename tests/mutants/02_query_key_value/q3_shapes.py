"""One row too many.

q3: 0 of 3: must both be (40, d_head)
"""

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds) + 1)
    return 1000 * w_key[[*finds, 0]], w_key
