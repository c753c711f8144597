"""Another form, of which some wrong answers are edits.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import torch


def attend_with_cache(query, key, value, past):
    if past is not None:
        pk, pv = past
        key = torch.cat((pk, key), dim=-2)
        value = torch.cat((pv, value), dim=-2)
    T, n = query.size(-2), key.size(-2)
    i = torch.arange(n - T, n)[:, None]
    j = torch.arange(n)[None, :]
    mask = j <= i
    s = query @ key.transpose(-1, -2) / query.size(-1) ** 0.5
    s = s.masked_fill(~mask, float('-inf'))
    w = s.softmax(-1)
    return w @ value, (key, value)
