"""The model gets the last word of the prompt.

q2: 0 of 3: Of the prompt, only the last token is read
"""

import torch


def generate(step, prompt, n_tokens):
    text, new, start, past = prompt, prompt[:, -1:], prompt.shape[1] - 1, None
    for _ in range(n_tokens):
        logits, past = step(new, start, past)
        start += new.shape[1]
        new = logits[:, -1].argmax(-1, keepdim=True)
        text = torch.cat([text, new], dim=1)
    return text
