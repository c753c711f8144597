"""The side of a check that runs beside the learner's code: it makes inputs, calls the answer, and hands over arrays.

Each lesson's `drive.py` declares its `QUESTIONS` with what is here. Neither imports what judges.
"""
