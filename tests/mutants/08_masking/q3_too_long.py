"""The last column stays.

q3: 0 of 4: tgt_in has one place too many
"""

import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = F.pad(tokens, (1, 0), value=bos_id)
    tgt_out = tokens
    logits = predict(tgt_in)[:, :-1]
    real = tgt_out != pad_id
    loss = F.cross_entropy(logits[real], tgt_out[real])
    return tgt_in, tgt_out, loss
