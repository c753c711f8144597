"""File names for learners: safe on every system, whatever a learner's hand-ins were called."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from lessons_lib.errors import UserError

LONGEST = 40  # characters of the key that stay readable
PLAIN = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST - 1}}}")
MARKED = re.compile(r".*-[0-9a-f]{12}")
# What Windows opens as a device, in every folder and with every ending.
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def file_names(keys: Iterable[str]) -> dict[str, str]:
    """A file's name for each key, without an ending: letters a-z, digits, `-` and `_`, at most 53 characters.

    A key of this form is its own name. Any other is shortened to what is readable of it, and marked with twelve digits
    of its SHA-256; so a name depends on its key alone, and two keys that differ only in case have two names.

    Raises:
        UserError: a key is there twice.
    """
    names: dict[str, str] = {}
    for key in keys:
        if key in names:
            raise UserError(
                f"two learners have the key {key!r}; give each folder or file of hand-ins a name of its own"
            )
        names[key] = _file_name(key)
    return names


def _file_name(key: str) -> str:
    if PLAIN.fullmatch(key) and key not in DEVICES and not MARKED.fullmatch(key):
        return key
    mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    letters = unicodedata.normalize("NFKD", key.lower()).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^a-z0-9_]+", "-", letters)[:LONGEST].strip("-_")
    return f"{readable or 'learner'}-{mark}"
