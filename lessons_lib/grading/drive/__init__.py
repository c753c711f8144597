"""The side of a check that runs beside the learner's code: it makes inputs, calls the answer, and hands over arrays.

One file a lesson (`lesson_01.py`), which declares its `QUESTIONS`. Nothing here imports `lessons_lib.grading.judge`.
"""
