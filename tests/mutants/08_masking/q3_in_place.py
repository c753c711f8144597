"""Writes into the caller's tokens.

q3: 3 of 4: Your function changes the caller's tokens
"""

import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_out = tokens.clone()
    tokens[:, 1:] = tgt_out[:, :-1]
    tokens[:, 0] = bos_id
    real = tgt_out != pad_id
    return tokens.clone(), tgt_out, F.cross_entropy(predict(tokens)[real], tgt_out[real])
