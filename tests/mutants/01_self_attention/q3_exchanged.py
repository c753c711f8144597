"""Query and key exchanged.

q3: 0 of 3: Query and key are exchanged
"""

import math

import torch


def previous_word_head(length):
    before = (torch.arange(length) - 1).clamp(min=0)
    key = torch.eye(length)
    return key, 20 * math.sqrt(length) * key[before]
