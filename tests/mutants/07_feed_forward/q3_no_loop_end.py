"""Falls over where nothing fires.

q3: 2 of 3: Where no neuron fires (0 is not above 0) nothing is added, and the output is the bias alone:
"""

import torch


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    sums = expand_weight @ token + expand_bias
    fired = [i for i in sums.argsort(descending=True).tolist() if sums[i] > 0]
    added = torch.stack([sums[i] * contract_weight[:, i] for i in fired])
    return torch.tensor(fired), added, added.sum(0) + contract_bias
