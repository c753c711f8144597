"""Forgets the bias of contract.

q3: 1 of 3: The bias of contract is not in the output
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = sums[fired, None] * contract_weight.T[fired]
    output = added.sum(dim=0)
    return fired, added, output
