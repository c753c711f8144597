"""A strength that serves short sentences only.

q3: 2 of 3: The right word, but too faint: with 40 words it gets only 0.93
"""

import torch


def previous_word_head(length):
    before = (torch.arange(length) - 1).clamp(min=0)
    key = torch.eye(length)
    return 40 * key[before], key
