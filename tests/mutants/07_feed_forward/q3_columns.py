"""A column for each neuron.

q3: 0 of 3: `added` has a column for each neuron
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = sums[fired] * contract_weight[:, fired]
    output = added.sum(dim=1) + contract_bias
    return fired, added, output
