"""torch.roll without looking at what comes around.

q3: 0 of 4: tgt_in is turned in a circle
"""

import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = tokens.roll(1, dims=1)
    tgt_out = tokens
    logits = predict(tgt_in)
    real = tgt_out != pad_id
    loss = F.cross_entropy(logits[real], tgt_out[real])
    return tgt_in, tgt_out, loss
