"""All positions are alike.

q3: 0 of 3: Every word looks at all words alike
"""

import torch


def previous_word_head(length):
    return torch.ones(length, 4), torch.ones(length, 4)
