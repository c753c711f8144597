"""A list of everything.

q3: 0 of 3: All blocks are kept and read in the end
"""

import torch


def attention_over_blocks(query, blocks):
    blocks = list(blocks)
    key, value = torch.cat([keys for keys, _ in blocks], dim=1), torch.cat([values for _, values in blocks], dim=1)
    return torch.softmax(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, dim=-1) @ value
