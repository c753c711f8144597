"""Every token stands at place 0.

q2: 0 of 3: Places start again at 0 in each step
"""

import torch


def generate(step, prompt, n_tokens):
    text, new, past = prompt, prompt, None
    for _ in range(n_tokens):
        logits, past = step(new, 0, past)
        new = logits[:, -1].argmax(-1, keepdim=True)
        text = torch.cat([text, new], dim=1)
    return text
