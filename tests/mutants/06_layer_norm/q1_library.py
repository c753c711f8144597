"""Hands over the library's class.

q1: 0 of 4: is the one of lessons_lib.norms
"""

from lessons_lib.norms import LayerNorm  # noqa: F401
