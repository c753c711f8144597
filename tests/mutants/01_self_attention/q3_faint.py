"""Right places without strength.

q3: 2 of 3: The right word, but too faint: with 40 words it gets only 0.03
"""

import torch


def previous_word_head(length):
    before = (torch.arange(length) - 1).clamp(min=0)
    key = torch.eye(length)
    return key[before], key
