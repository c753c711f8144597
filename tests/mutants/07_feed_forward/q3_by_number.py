"""Not sorted.

q3: 0 of 3: in the order of their numbers
"""

import torch


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    order = torch.arange(len(sums))
    fired = order[sums[order] > 0]
    added = sums[fired, None] * contract_weight.T[fired]
    output = added.sum(dim=0) + contract_bias
    return fired, added, output
