"""torch.roll, and then the first column; sum over count.

q1: 3 of 3
q2: 3 of 3
q3: 4 of 4
"""

import torch
import torch.nn.functional as F


class Causal:
    def __call__(self, length):
        return torch.full((length, length), True).tril()


causal_mask = Causal()


def padding_mask(tokens, pad_id):
    return torch.logical_not(tokens == pad_id).view(len(tokens), 1, 1, -1)


def next_token_loss(tokens, predict, bos_id, pad_id):
    tgt_in = tokens.roll(1, dims=1)
    tgt_in[:, 0] = bos_id
    weight = (tokens != pad_id).float()
    every = F.cross_entropy(predict(tgt_in).flatten(0, 1), tokens.flatten(), reduction="none")
    return tgt_in, tokens, (every.view_as(weight) * weight).sum() / weight.sum()
