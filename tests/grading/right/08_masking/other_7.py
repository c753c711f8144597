"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 3 of 3
q3: 4 of 4
"""

import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    B, T = tokens.shape
    bos = torch.full((B, 1), bos_id, dtype=tokens.dtype)
    tgt_in = torch.cat((bos, tokens[:, :-1]), 1)
    tgt_out = tokens
    logits = predict(tgt_in)
    V = logits.size(-1)
    loss = F.nll_loss(F.log_softmax(logits, -1).flatten(0, 1), tgt_out.flatten(), ignore_index=pad_id)
    return tgt_in, tgt_out, loss
