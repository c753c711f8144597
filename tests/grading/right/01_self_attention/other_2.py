"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
import torch.nn.functional as F


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = torch.matmul(query, key.transpose(-1, -2)) / query.size(-1) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(mask == 0, float('-inf'))
    w = torch.softmax(scores, -1)
    if mask is not None:
        w = torch.nan_to_num(w)
    return w @ value, w
