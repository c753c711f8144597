"""PyTorch's kernel, a loop over places, the log of the sum of exponentials.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import torch
import torch.nn.functional as F


def attend_with_cache(query, key, value, past):
    before = 0
    if past:
        before = past[0].shape[2]
        key, value = torch.cat((past[0], key), 2), torch.cat((past[1], value), 2)
    place, other = torch.arange(query.shape[2])[:, None] + before, torch.arange(key.shape[2])[None, :]
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=other <= place)
    return output, [key, value]


def generate(step, prompt, n_tokens):
    logits, past = step(prompt, 0, None)  # for nothing, if no token is asked for
    tokens = [prompt]
    for place in range(prompt.shape[1], prompt.shape[1] + n_tokens):
        if place > prompt.shape[1]:
            logits, past = step(tokens[-1], place - 1, past)
        tokens.append(logits[:, -1:].argmax(-1))
    return torch.cat(tokens, 1)


def attention_over_blocks(query, blocks):
    log_total, output = None, None
    for keys, values in blocks:
        scores = query @ keys.mT / query.shape[-1] ** 0.5
        log_sum = scores.logsumexp(-1, keepdim=True)
        mine = scores.softmax(-1) @ values
        if output is None:
            log_total, output = log_sum, mine
            continue
        both = torch.logaddexp(log_total, log_sum)
        output = output * (log_total - both).exp() + mine * (log_sum - both).exp()
        log_total = both
    return output
