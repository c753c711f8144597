"""The prompt fills the past; then its last token asks.

q2: 0 of 3: The last token of the prompt is read once more
"""

import torch


def generate(step, prompt, n_tokens):
    _, past = step(prompt, 0, None)
    text = prompt
    for _ in range(n_tokens):
        logits, past = step(text[:, -1:], past[0].shape[1], past)
        text = torch.cat([text, logits[:, -1].argmax(-1, keepdim=True)], dim=1)
    return text
