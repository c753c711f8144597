"""The library's function under the right name.

q1: 0 of 4: `count_parameters` is the one of lessons_lib.sizes.parameters
"""

from lessons_lib.sizes import count_parameters

__all__ = ["count_parameters"]
