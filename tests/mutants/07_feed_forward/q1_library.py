"""Derives from the library's class.

q1: 0 of 3: the answer calls lessons_lib.feedforward
"""

from lessons_lib import feedforward


class FeedForward(feedforward.FeedForward):
    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__(d_model, d_ff, activation)
