"""The wrong end of the list.

q2: 0 of 3: The least probable token is taken
"""

import torch


def generate(step, prompt, n_tokens):
    text, new, start, past = prompt, prompt, 0, None
    for _ in range(n_tokens):
        logits, past = step(new, start, past)
        start += new.shape[1]
        new = logits[:, -1].argmin(-1, keepdim=True)
        text = torch.cat([text, new], dim=1)
    return text
