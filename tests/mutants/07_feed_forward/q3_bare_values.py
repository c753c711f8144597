"""Values without activations.

q3: 1 of 3: `added` holds the bare values
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = contract_weight.T[fired]
    output = added.sum(dim=0) + contract_bias
    return fired, added, output
