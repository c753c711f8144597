"""An object that is called like a function; its helper scales the query first.

q1: 3 of 3
q2: 4 of 4
"""

import math

import torch
from torch import nn


class Attention:
    def __call__(self, query, key, value, mask=None):
        weights = self.weights(query / math.sqrt(query.shape[-1]), key, mask)
        return [weights.matmul(value), weights]

    def weights(self, query, key, mask):
        scores = torch.matmul(query, key.swapaxes(-1, -2))
        if mask is None:
            return nn.Softmax(dim=-1)(scores)
        bias = torch.zeros_like(scores).masked_fill(~mask, torch.finfo(scores.dtype).min / 2)
        return nn.Softmax(dim=-1)(scores + bias) * mask


scaled_dot_product_attention = Attention()
