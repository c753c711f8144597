"""The sums in place of the numbers.

q3: 0 of 3: give neuron numbers, integers
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    fired = sums[sums > 0]
    added = fired[:, None] * contract_weight.T[sums > 0]
    output = added.sum(dim=0) + contract_bias
    return fired, added, output
