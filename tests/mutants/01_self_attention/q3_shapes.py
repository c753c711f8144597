"""One row for all words.

q3: 0 of 3: must both be
"""

import torch


def previous_word_head(length):
    return torch.ones(4), torch.ones(4)
