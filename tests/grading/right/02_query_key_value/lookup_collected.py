"""The other way: queries are the identity, a key collects all words that look for it.

q3: 3 of 3
"""

import torch


def lookup_matrices(finds):
    n = len(finds)
    w_key = torch.zeros(n, n)
    for word, found in enumerate(finds):
        w_key[found, word] = 30 * n**0.5
    return torch.eye(n), w_key
