"""A token too many.

q2: 0 of 3: tokens are written where
"""

import torch


def generate(step, prompt, n_tokens):
    text, new, start, past = prompt, prompt, 0, None
    for _ in range(n_tokens + 1):
        logits, past = step(new, start, past)
        start += new.shape[1]
        new = logits[:, -1].argmax(-1, keepdim=True)
        text = torch.cat([text, new], dim=1)
    return text
