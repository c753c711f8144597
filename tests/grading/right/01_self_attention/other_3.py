"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math
import torch


def scaled_dot_product_attention(query, key, value, mask=None):
    s = query @ key.transpose(-2,-1) / math.sqrt(query.shape[-1])
    if mask is not None:
        s = s.masked_fill(~mask, torch.finfo(s.dtype).min)
    e = (s - s.amax(-1, keepdim=True)).exp()
    if mask is not None: e = e * mask
    w = e / e.sum(-1, keepdim=True).clamp(min=1e-20)
    return w @ value, w
