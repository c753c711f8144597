"""A function that chooses between two classes, one derived from the other.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import torch
import torch.nn.functional as F
from torch import nn


class Network(nn.Module):
    def __init__(self, d_model, width, function):
        super().__init__()
        self.function = function
        self.expand, self.contract = nn.Linear(d_model, width), nn.Linear(width, d_model)

    def hidden(self, x):
        return self.function(self.expand(x))

    def forward(self, x):
        return self.contract(self.hidden(x))


class Gated(Network):
    def __init__(self, d_model, width):
        super().__init__(d_model, width, F.silu)
        self.gate = nn.Linear(d_model, width)

    def hidden(self, x):
        return super().hidden(x).mul_(self.gate(x))


def FeedForward(d_model, d_ff, activation="relu"):
    if activation == "swiglu":
        return Gated(d_model, 2 * d_ff // 3)
    return Network(d_model, d_ff, getattr(F, activation))


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = F.linear(token, expand_weight, expand_bias)
    fired = torch.nonzero(sums > 0).flatten()
    fired = fired[torch.argsort(sums[fired], descending=True)]
    added = torch.einsum("k,dk->kd", sums[fired], contract_weight[:, fired])
    return fired, added, F.linear(F.relu(sums), contract_weight, contract_bias)
