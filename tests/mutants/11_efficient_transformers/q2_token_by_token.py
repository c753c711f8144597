"""The prompt drips in.

q2: 1 of 3: but the prompt goes in token by token
"""

import torch


def generate(step, prompt, n_tokens):
    text, past = prompt, None
    for place in range(prompt.shape[1] + n_tokens - 1):
        logits, past = step(text[:, place : place + 1], place, past)
        if place >= prompt.shape[1] - 1:
            text = torch.cat([text, logits[:, -1].argmax(-1, keepdim=True)], dim=1)
    return text
