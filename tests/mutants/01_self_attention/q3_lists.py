"""Returns lists of numbers.

q3: 0 of 3: `query` is a list, not a torch.Tensor
"""


def previous_word_head(length):
    return [[1.0] * length] * length, [[1.0] * length] * length
