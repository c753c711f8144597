"""A past goes in and out, and is empty each time.

q2: 1 of 3: The text is right, but nothing is kept
"""

import torch


def generate(step, prompt, n_tokens):
    text = prompt
    for _ in range(n_tokens):
        logits, _ = step(text, 0, None)
        text = torch.cat([text, logits[:, -1].argmax(-1, keepdim=True)], dim=1)
    return text
