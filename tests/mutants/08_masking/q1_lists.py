"""Lists in the place of a tensor.

q1: 0 of 3: `mask` is a list, not a torch.Tensor
"""


def causal_mask(length):
    return [[s <= t for s in range(length)] for t in range(length)]
