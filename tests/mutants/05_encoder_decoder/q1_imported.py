"""The library's layer.

q1: 0 of 3: `EncoderLayer` is the one of lessons_lib.blocks: define your own
"""

from lessons_lib.blocks import EncoderLayer

__all__ = ["EncoderLayer"]
