"""Running the lessons compares their pictures and widgets too, not only what they print."""

from lessons_lib.verification.plugin import pytest_runtest_call  # noqa: F401
