"""A word and what it means: the link between the two languages.

English and French are written by two independent functions from one meaning. Each word carries *keys*, the pieces
of that meaning it expresses ("subject.noun", "negation", ...). Two words are aligned when they share a key. So an
alignment is never guessed: "do not sleep" and "ne dorment pas" are linked because both say (verb, negation).
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple


class Word(NamedTuple):
    """One written word and the pieces of meaning it expresses."""

    text: str
    keys: tuple[str, ...]


def spell(text: str, *keys: str) -> list[Word]:
    """One word for each part of ``text``, all with the same keys; no word for an empty text."""
    return [*_spelled(text, keys)]


def spell_tagged(text: str) -> list[Word]:
    """Words of a fixed phrase, with their keys after a slash: "every/1 day/2"."""
    return [*_spelled_tagged(text)]


def within(role: str, words: Iterable[Word]) -> list[Word]:
    """The same words as a part of something larger: each key gets the role in front, "noun" -> "subject.noun"."""
    return [Word(text, _prefixed(role, keys)) for text, keys in words]


@cache
def _spelled(text: str, keys: tuple[str, ...]) -> tuple[Word, ...]:
    return tuple(Word(part, keys) for part in text.split())


@cache
def _spelled_tagged(text: str) -> tuple[Word, ...]:
    return tuple(Word(part, (key,)) for part, key in (item.split("/") for item in text.split()))


@cache
def _prefixed(role: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{role}.{key}" for key in keys)


def merge(text: str, first: Word, second: Word) -> Word:
    """Two words written as one ("le" + "ami" -> "l'ami"): it means what both meant."""
    return Word(text, first.keys + second.keys)


def align(english: list[Word], french: list[Word]) -> tuple[tuple[int, int], ...]:
    """(English index, French index) of every two words that share a key, sorted."""
    said_by: dict[str, list[int]] = {}
    for index, word in enumerate(english):
        for key in word.keys:
            said_by.setdefault(key, []).append(index)
    links = {(i, j) for j, word in enumerate(french) for key in word.keys for i in said_by.get(key, ())}
    return tuple(sorted(links))


def rows(table: str) -> list[list[str]]:
    """The cells of a text table: one row a line, cells between bars."""
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
