"""Numbers in sentences: a lesson compares what its text says with what its cell measured."""

import os
import re

WRITING = "LESSONS_ARE_WRITTEN"  # in the environment of who executes the lessons to store them
# A number as prose writes it: 17, 1,056, 0.93, .83, −0.8 (a minus or a hyphen); no part of a word such as W1 or 3D.
NUMBER = re.compile(r"(?<![\w.,])[−-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?![\w])(?<=\d)")


def numbers(sentence: str) -> list[str]:
    """The numbers that a sentence writes in digits, in its order."""
    return [match[0] for match in NUMBER.finditer(sentence) if match[0]]


def says(sentence: str, *measured: float, slack: float = 1.0) -> None:
    """Each number written in ``sentence`` is the measured one, rounded as it is written there.

    A test looks for the sentence in the lesson's text, its captions or alt texts, so it cannot be said anywhere else.

    Args:
        measured: one number for each that is written, in order.
        slack: how many units of the last written digit another machine may be off. Where the lessons are written there
            is none: what they say is what they store.
    Raises:
        AssertionError: a written number is not the measured one, or one has no partner.
    """
    written = numbers(sentence)
    slack = 0.0 if os.environ.get(WRITING) else slack
    if len(written) != len(measured):
        raise AssertionError(f"{sentence!r} writes {len(written)} numbers ({', '.join(written)}), not {len(measured)}")
    for text, value in zip(written, measured, strict=True):
        plain = text.replace(",", "").replace("−", "-")
        unit = 10.0 ** -len(plain.partition(".")[2])
        if not abs(float(plain) - float(value)) <= (0.5 + slack) * unit * (1 + 1e-9):
            raise AssertionError(f"{sentence!r} writes {text}; measured: {float(value):.6g}")
