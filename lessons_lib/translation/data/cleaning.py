"""Cleaning of crawled parallel text: what is left out of training, and why."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.data.language_check import wrong_language
from lessons_lib.translation.data.sameness import hash_of, normalise

REASONS = ("blank", "too_long", "length_ratio", "untranslated", "wrong_language", "in_a_test_set", "duplicate")


@dataclass(frozen=True)
class Filters:
    """What a pair must keep to, on both sides; words are what lies between spaces.

    The longer side may have ``max_ratio`` times the words of the shorter, and ``extra_words`` more, without which
    "Thanks." could not be "Je vous remercie.".
    """

    max_words: int = 100
    max_characters: int = 1_000
    max_ratio: float = 2.0
    extra_words: int = 3
    source_language: str = "en"
    target_language: str = "fr"


def one_line(text: str) -> str:
    """``text`` with single spaces between its words, and so without tabs and line ends; in composed form (NFC)."""
    return " ".join(unicodedata.normalize("NFC", text).split())


class HashSet:
    """A set of 64-bit hashes. What is sealed takes 8 bytes a hash; a Python set takes about 70."""

    def __init__(self):
        self._sealed, self._fresh = np.empty(0, np.uint64), set()

    def __contains__(self, value: int) -> bool:
        place = int(np.searchsorted(self._sealed, np.uint64(value)))
        return value in self._fresh or (place < len(self._sealed) and int(self._sealed[place]) == value)

    def add(self, value: int) -> None:
        """Take in one hash; it costs much memory until `seal`."""
        self._fresh.add(value)

    def seal(self) -> None:
        """Put what was added since the last time to the rest."""
        fresh = np.fromiter(self._fresh, np.uint64, len(self._fresh))
        # A stable sort of two runs, one of them sorted, merges them.
        self._sealed, self._fresh = np.sort(np.concatenate([self._sealed, np.sort(fresh)]), kind="stable"), set()


class Cleaner:
    """Says of each pair why it is left out, and remembers those that are kept, to know them again.

    Args:
        held_out: pairs to test by. Who has either side of one of them in training has seen the test.
    """

    def __init__(self, filters: Filters, held_out: Iterable[Pair]):
        self.filters, self.kept = filters, HashSet()
        self._held_out = {hash_of(normalise(side)) for pair in held_out for side in pair[:2]}

    def remember(self, pairs: Iterable[Pair]) -> None:
        """Take note of pairs that an earlier run has kept."""
        for pair in pairs:
            self.kept.add(_hash_of_pair(normalise(pair.source), normalise(pair.target)))
        self.kept.seal()

    def reason(self, pair: Pair) -> str | None:
        """Why ``pair`` is left out, one of `REASONS`; None if it is kept."""
        filters, sides = self.filters, pair[:2]
        shorter, longer = sorted(len(side.split()) for side in sides)
        if not shorter:
            return "blank"
        if longer > filters.max_words or max(map(len, sides)) > filters.max_characters:
            return "too_long"
        if longer > filters.max_ratio * shorter + filters.extra_words:
            return "length_ratio"
        source, target = map(normalise, sides)
        if source == target:
            return "untranslated"
        if wrong_language(pair.source, filters.source_language) or wrong_language(pair.target, filters.target_language):
            return "wrong_language"
        if hash_of(source) in self._held_out or hash_of(target) in self._held_out:
            return "in_a_test_set"
        found = _hash_of_pair(source, target)
        if found in self.kept:
            return "duplicate"
        self.kept.add(found)
        return None


def _hash_of_pair(source: str, target: str) -> int:
    return hash_of(f"{source}\t{target}")
