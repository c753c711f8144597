"""The first written token stands where the last of the prompt stood.

q2: 0 of 3: Places are one short
"""

import torch


def generate(step, prompt, n_tokens):
    text, new, start, past = prompt, prompt, 0, None
    for _ in range(n_tokens):
        logits, past = step(new, start, past)
        start = text.shape[1] - 1
        new = logits[:, -1].argmax(-1, keepdim=True)
        text = torch.cat([text, new], dim=1)
    return text
