"""roll the wrong way.

q3: 0 of 3: Every word looks at the next one
"""

import math

import torch


def previous_word_head(length):
    key = torch.eye(length)
    return 20 * math.sqrt(length) * key.roll(-1, dims=0), key
