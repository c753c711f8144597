"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
import torch.nn.functional as F


def lookup_matrices(finds):
    n = len(finds)
    return F.one_hot(torch.tensor(finds), n).float() * 1000, torch.eye(n)
