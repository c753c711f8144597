"""Only the last token, and no past.

q2: 0 of 3: The past is never handed in
"""

import torch


def generate(step, prompt, n_tokens):
    text, new, start = prompt, prompt, 0
    for _ in range(n_tokens):
        logits, _ = step(new, start, None)
        start += new.shape[1]
        new = logits[:, -1].argmax(-1, keepdim=True)
        text = torch.cat([text, new], dim=1)
    return text
