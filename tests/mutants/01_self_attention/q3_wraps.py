"""roll moves the last word to the front.

q3: 0 of 3: but it looks at word 39
"""

import math

import torch


def previous_word_head(length):
    key = torch.eye(length)
    return 20 * math.sqrt(length) * key.roll(1, dims=0), key
