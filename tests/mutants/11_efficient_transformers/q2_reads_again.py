"""The whole text behind the past that holds it.

q2: 0 of 3: The whole text is read again behind the past
"""

import torch


def generate(step, prompt, n_tokens):
    text, past = prompt, None
    for _ in range(n_tokens):
        logits, past = step(text, 0, past)
        text = torch.cat([text, logits[:, -1].argmax(-1, keepdim=True)], dim=1)
    return text
