"""Keeps the silent neurons.

q3: 0 of 3: All neurons are there, the silent ones too
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort(descending=True)
    fired = order
    added = sums[fired, None].relu() * contract_weight.T[fired]
    output = added.sum(dim=0) + contract_bias
    return fired, added, output
