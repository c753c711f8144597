"""Another form, of which some wrong answers are edits.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import torch


def attention_over_blocks(query, blocks):
    d = query.size(-1)
    m = None
    for k, v in blocks:
        s = torch.matmul(query, k.transpose(-1, -2)) / d ** 0.5
        bm = s.max(dim=-1, keepdim=True).values
        if m is None:
            m = bm
            p = torch.exp(s - m)
            l = p.sum(-1, keepdim=True)
            o = p @ v
        else:
            new = torch.maximum(m, bm)
            c = torch.exp(m - new)
            p = torch.exp(s - new)
            l = l * c + p.sum(-1, keepdim=True)
            o = o * c + p @ v
            m = new
    return o / l
