"""A subclass of the library's module.

q2: 0 of 4: the answer calls lessons_lib.attention
"""

from lessons_lib import attention


class MultiHeadAttention(attention.MultiHeadAttention):
    pass
