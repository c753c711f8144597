"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 3 of 3
q3: 4 of 4
"""

import torch


def padding_mask(tokens, pad_id):
    return (tokens != pad_id).view(tokens.size(0), 1, 1, -1)
