"""As the exercise begins.

q1: 0 of 3: not answered yet: write the three linear layers
"""

from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        raise NotImplementedError("write the three linear layers")
