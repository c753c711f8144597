"""When two sentences are the same: for duplicates, and for tests that training has seen."""

import hashlib
import re
import unicodedata


def normalise(text: str) -> str:
    """What two sentences must share to be the same: letters and digits, whatever their case and what is between."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded)) or folded


def hash_of(text: str) -> int:
    """64 bits of BLAKE2b: that any two of 40 million pairs share one by chance happens in 1 of 20,000 corpora."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
