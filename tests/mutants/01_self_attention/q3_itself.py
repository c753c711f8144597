"""Nothing is moved.

q3: 0 of 3: Every word looks at itself
"""

import math

import torch


def previous_word_head(length):
    key = torch.eye(length)
    return 20 * math.sqrt(length) * key, key
