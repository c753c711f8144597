"""−∞ and ∞ as numbers.

q3: 0 of 3: Queries and keys must be finite numbers
"""

import torch


def previous_word_head(length):
    before = (torch.arange(length) - 1).clamp(min=0)
    key = torch.eye(length)
    return key[before] * float("inf"), key
