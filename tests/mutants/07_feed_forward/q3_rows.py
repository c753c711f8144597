"""Rows of contract in place of columns.

q3: 0 of 3: The value of neuron i is column i
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = sums[fired, None] * contract_weight[fired]
    output = added.sum(dim=0) + contract_bias
    return fired, added, output
