"""Four axes from the start, ignore_index for the padding.

q1: 3 of 3
q2: 3 of 3
q3: 4 of 4
"""

import torch
import torch.nn.functional as F


def causal_mask(length):
    return torch.ones(1, 1, length, length).triu(diagonal=1) == 0


def padding_mask(tokens, pad_id):
    return tokens.ne(pad_id).unsqueeze(1).unsqueeze(1)


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = F.pad(tokens, (1, -1), value=bos_id)
    logits = predict(tgt_in)
    loss = F.cross_entropy(logits.transpose(1, 2), tokens, ignore_index=pad_id)
    return [tgt_in, tokens.clone(), loss]
