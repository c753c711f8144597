"""Counts neurons from 1.

q3: 0 of 3: but there are
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = sums[fired, None] * contract_weight.T[fired]
    output = added.sum(dim=0) + contract_bias
    return fired * 0 + len(sums), added, output
