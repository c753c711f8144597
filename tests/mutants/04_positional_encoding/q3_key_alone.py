"""The key's position is the column.

q3: 0 of 3: The columns are numbered by the key alone
"""

import torch


def relative_bias(table, length, start=0):
    columns = torch.arange(start + length).clamp(max=table.shape[1] - 1)
    return table[:, columns.expand(length, -1)]
