"""A list.

q3: 0 of 3: returns a list, and a dictionary is due
"""


def capstone(translator, pairs):
    return []
