"""Works in half precision inside when it gets doubles.

q3: 2 of 3: Right in float32, but not in float64
"""


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    if sums.itemsize == 8:
        sums = sums.half().double()
    order = sums.argsort(descending=True)
    fired = order[sums[order] > 0]
    added = sums[fired, None] * contract_weight.T[fired]
    return fired, added, added.sum(dim=0) + contract_bias
