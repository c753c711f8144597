"""The bias of contract with each neuron.

q3: 1 of 3: added once for each neuron
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = sums[fired, None] * contract_weight.T[fired]
    output = (added + contract_bias).sum(dim=0)
    return fired, added, output
