"""Adds all up in `added`.

q3: 0 of 3: a row for each neuron that fires
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = sums[fired] @ contract_weight.T[fired]
    output = added + contract_bias
    return fired, added, output
