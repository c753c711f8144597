"""Sorted by the size of what is added.

q3: 0 of 3: fire, in this order; `fired` is
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = (sums.abs() * contract_weight.norm(dim=0)).argsort(descending=True)
    fired = order[sums[order] > 0]
    added = sums[fired, None] * contract_weight.T[fired]
    output = added.sum(dim=0) + contract_bias
    return fired, added, output
