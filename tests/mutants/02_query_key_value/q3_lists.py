"""Lists in place of tensors.

q3: 0 of 3: `w_query` is a list, not a torch.Tensor
"""

import torch


def lookup_matrices(finds):
    w_key = torch.eye(len(finds))
    return (1000 * w_key[finds]).tolist(), w_key.tolist()
