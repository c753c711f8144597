"""Another form, of which some wrong answers are edits.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import torch


def generate(step, prompt, n_tokens):
    out = prompt
    past = None
    pos = 0
    x = prompt
    for _ in range(n_tokens):
        logits, past = step(x, pos, past)
        pos = pos + x.size(1)
        nxt = logits[:, -1].argmax(-1)[:, None]
        out = torch.cat([out, nxt], 1)
        x = nxt
    return out
