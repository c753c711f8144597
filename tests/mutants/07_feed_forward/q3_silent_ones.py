"""Keeps the silent neurons alone.

q3: 0 of 3: These are the silent neurons
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort()
    fired = order[sums[order] < 0]
    added = sums[fired, None] * contract_weight.T[fired]
    output = added.sum(dim=0) + contract_bias
    return fired, added, output
