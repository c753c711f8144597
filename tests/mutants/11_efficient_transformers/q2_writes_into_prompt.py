"""It wipes the prompt when it is done.

q2: 1 of 3: changes the caller's prompt
"""

import torch


def generate(step, prompt, n_tokens):
    text, new, start, past = prompt, prompt, 0, None
    for _ in range(n_tokens):
        logits, past = step(new, start, past)
        start += new.shape[1]
        new = logits[:, -1].argmax(-1, keepdim=True)
        text = torch.cat([text, new], dim=1)
    prompt.zero_()
    return text
