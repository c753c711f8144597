"""Rounding is told from another number, and the line that differs is found."""

import pytest

from lessons_lib.verification.outputs import first_difference, within_rounding


@pytest.mark.parametrize(
    ("stored", "now", "close"),
    [
        ("loss 0.123", "loss 0.124", True),
        ("loss 0.123", "loss 0.125", False),
        ("loss 0.123\n7 of 9", "loss 0.124\n7 of 9", True),
        ("loss 0.123\n7 of 9", "loss 0.124\n8 of 9", False),
        ("97 %", "98 %", False),
        ("loss 0.123", "Loss 0.124", False),
        ("error 1.2e-07", "error 8.9e-08", True),
        ("error 1.2e-03", "error 1.3e-03", True),
        ("error 1.2e-03", "error 1.9e-03", False),
        ("-0.5", "0.5", False),
        ("tensor([0.10, 0.20])", "tensor([0.10, 0.21])", True),
        ("tensor([0.10, 0.20])", "tensor([0.10])", False),
    ],
)
def test_rounding_is_the_last_digit_and_nothing_else(stored, now, close):
    assert within_rounding(stored, now) == close


@pytest.mark.parametrize(
    ("stored", "now", "lines"),
    [
        ("a\nb\nc\n", "a\nx\ny\n", ("b", "x")),
        ("a\n", "a\nb\n", ("", "b")),
        ("a\nb\n", "a\n", ("b", "")),
        ("a\n", "a\n", ("", "")),
    ],
)
def test_the_first_line_that_differs(stored, now, lines):
    assert first_difference(stored, now) == lines
