"""One output for each neuron.

q3: 0 of 3: `output` has the shape
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = sums[fired, None] * contract_weight.T[fired]
    output = added + contract_bias
    return fired, added, output
