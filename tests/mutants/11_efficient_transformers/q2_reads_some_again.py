"""After the prompt, its text is read once more from the start, and then it goes on.

q2: 1 of 3: places went through the decoder where
"""

import torch


def generate(step, prompt, n_tokens):
    step(prompt, 0, None)
    text, new, start, past = prompt, prompt, 0, None
    for _ in range(n_tokens):
        logits, past = step(new, start, past)
        start += new.shape[1]
        new = logits[:, -1].argmax(-1, keepdim=True)
        text = torch.cat([text, new], dim=1)
    return text
