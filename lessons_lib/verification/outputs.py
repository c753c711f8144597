"""What two outputs differ in, and what is to be done about an error."""

import itertools
import re

from lessons_lib.device import NO_MEMORY

NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?", re.IGNORECASE)
NOISE = 1e-5  # what fp32 leaves of a zero
OTHER_NAMES = {"sklearn": "scikit-learn", "PIL": "pillow"}  # packages that are imported by another name
ANOTHER_LIBRARY = "the notebook and the installed library do not belong together: install the library of its version"


def first_difference(stored: str, now: str) -> tuple[str, str]:
    """The first line in which two texts differ, of both; where one has no such line, nothing."""
    pairs = itertools.zip_longest(stored.splitlines(), now.splitlines(), fillvalue="")
    return next((pair for pair in pairs if pair[0] != pair[1]), ("", ""))


def within_rounding(stored: str, now: str) -> bool:
    """Whether two texts differ only in last digits of numbers with a point, by one, or in what is nearly 0."""
    if NUMBER.sub("0", stored) != NUMBER.sub("0", now):
        return False
    return all(map(_close, NUMBER.findall(stored), NUMBER.findall(now)))


def _close(stored: str, now: str) -> bool:
    if stored == now or max(abs(float(stored)), abs(float(now))) < NOISE:
        return True
    mantissa, _, exponent = stored.lower().partition("e")
    _, point, digits = mantissa.partition(".")
    unit = 10.0 ** (int(exponent or 0) - len(digits))
    return bool(point) and abs(float(stored) - float(now)) < 1.5 * unit


def fix(error: str) -> str:
    """What to do about an error, where it is known."""
    if match := re.match(r"ModuleNotFoundError: No module named '([\w.]+)'", error):
        module = match[1].partition(".")[0]
        if module == "lessons_lib":
            return ANOTHER_LIBRARY
        return f"it is not installed: pip install {OTHER_NAMES.get(module, module)}"
    if "lessons_lib" in error and error.startswith(("ImportError", "AttributeError")):
        return ANOTHER_LIBRARY
    if NO_MEMORY.search(error) or error.startswith("MemoryError"):
        return "it needs more memory than there is: close other programs, or use a larger machine"
    if "kernel died" in error:
        return "the process that runs the cells has died; often the memory was too small"
    return "the cell fails here"
