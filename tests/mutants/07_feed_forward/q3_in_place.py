"""Changes the caller's bias.

q3: 2 of 3: changes the caller's expand_bias
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_bias.add_(expand_weight @ token)
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = sums[fired, None] * contract_weight.T[fired]
    output = added.sum(dim=0) + contract_bias
    return fired, added, output
