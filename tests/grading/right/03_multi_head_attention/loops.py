"""One head after the other, and a sum: each head goes through its own columns of W_O.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
from torch import nn


def split_heads(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=1)


def merge_heads(heads):
    return torch.cat(heads.unbind(dim=1), dim=-1)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads, self.d_head = n_heads, d_model // n_heads
        for name in ("query", "key", "value", "output"):
            setattr(self, name, nn.Linear(d_model, d_model))

    def forward(self, query, source=None, mask=None):
        source = query if source is None else source
        output, all_weights = self.output.bias, []
        for h in range(self.n_heads):
            part = slice(h * self.d_head, (h + 1) * self.d_head)
            q = query @ self.query.weight[part].T + self.query.bias[part]
            k = source @ self.key.weight[part].T + self.key.bias[part]
            v = source @ self.value.weight[part].T + self.value.bias[part]
            scores = q @ k.transpose(1, 2) * self.d_head**-0.5
            if mask is not None:
                allowed = torch.broadcast_to(mask, (len(q), self.n_heads, q.shape[1], k.shape[1]))[:, h]
                scores = torch.where(allowed, scores, torch.finfo(scores.dtype).min)
                weights = scores.softmax(-1) * allowed
            else:
                weights = scores.softmax(-1)
            all_weights.append(weights)
            output = output + weights @ v @ self.output.weight[:, part].T
        return output, torch.stack(all_weights, dim=1)
