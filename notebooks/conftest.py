"""Running the lessons compares their pictures and widgets too, not only what they print."""

from tools.nbval_shown import pytest_runtest_call  # noqa: F401
