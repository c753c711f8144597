"""Written tokens are counted from 0.

q2: 0 of 3: are counted without the prompt
"""

import torch


def generate(step, prompt, n_tokens):
    text, new, past = prompt, prompt, None
    for number in range(n_tokens):
        logits, past = step(new, max(0, number - 1), past)
        new = logits[:, -1].argmax(-1, keepdim=True)
        text = torch.cat([text, new], dim=1)
    return text
