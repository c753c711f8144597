"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import numpy as np
import torch
from torch import nn


def lookup_matrices(finds):
    n = len(finds)
    k = torch.eye(n)
    return nn.Parameter(k[finds] * 1000), nn.Parameter(k)
