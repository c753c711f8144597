"""One position too far.

q3: 0 of 3: looks at word
"""

import math

import torch


def previous_word_head(length):
    key = torch.eye(length)
    before = (torch.arange(length) - 2).clamp(min=0)
    return 20 * math.sqrt(length) * key[before], key
