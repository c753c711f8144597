"""All alike.

q3: 0 of 3: gives all words the same weight
"""

import torch


def lookup_matrices(finds):
    return torch.ones(len(finds), 4), torch.ones(len(finds), 4)
