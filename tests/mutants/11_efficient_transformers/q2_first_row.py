"""One token for the whole batch.

q2: 0 of 3: All rows get the token of the first row
"""

import torch


def generate(step, prompt, n_tokens):
    text, new, start, past = prompt, prompt, 0, None
    for _ in range(n_tokens):
        logits, past = step(new, start, past)
        start += new.shape[1]
        new = logits[:1, -1].argmax(-1, keepdim=True).expand(len(text), 1)
        text = torch.cat([text, new], dim=1)
    return text
