"""The side of a check that decides. It computes with NumPy alone, so nothing done to PyTorch or the library moves it.

Each lesson's `judge.py` declares the `STEPS` of its questions with what is here, and its `mistakes.py` the wrong
versions that have a name.
"""
