"""The side of a check that decides. It computes with NumPy alone, so nothing done to PyTorch or the library moves it.

One file a lesson (`lesson_01.py`), which declares the `STEPS` of each question.
"""
