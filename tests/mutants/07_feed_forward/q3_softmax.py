"""Shares that sum to 1.

q3: 1 of 3: has no softmax
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = (sums[fired] / sums[fired].sum())[:, None] * contract_weight.T[fired]
    output = added.sum(dim=0) + contract_bias
    return fired, added, output
