"""As the learner finds it.

q1: 0 of 3: not answered yet: write __init__ and forward of EncoderLayer
"""

from torch import nn


class EncoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        raise NotImplementedError("write __init__ and forward of EncoderLayer")
