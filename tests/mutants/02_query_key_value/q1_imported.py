"""Inherits the library's attention.

q1: 0 of 3: takes 3 positional arguments but 4 were given
"""

from lessons_lib.attention import MultiHeadAttention


class Attention(MultiHeadAttention):
    def __init__(self, d_model, d_head):
        super().__init__(d_model, 1)
