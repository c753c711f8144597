"""A mask.

q3: 0 of 3: `fired` is a mask of True and False
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    fired = sums > 0
    added = sums[sums > 0, None] * contract_weight.T[sums > 0]
    output = added.sum(dim=0) + contract_bias
    return fired, added, output
