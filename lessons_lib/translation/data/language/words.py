"""A word and what it means: the link between the two languages.

English and French are written by two independent functions from one meaning. Each word carries *keys*, the pieces
of that meaning it expresses ("subject.noun", "negation", ...). Two words are aligned when they share a key. So an
alignment is never guessed: "do not sleep" and "ne dorment pas" are linked because both say (verb, negation).

A key may end in a mark. "negation?": the word only goes with what says that ("ne" beside "pas"), so its links are
possible, not sure. "finite??": so does the word, but as part of a larger expression ("there" with the "a" of "il y a"):
such links are possible, and not drawn. A link is sure where one of the shared keys has no mark on either side.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from .fixed import FIXED

Links = tuple[tuple[int, int], ...]  # (English word, French word), both from 0


class Word(NamedTuple):
    """One written word and the pieces of meaning it expresses."""

    text: str
    keys: tuple[str, ...]


def spell(text: str, *keys: str) -> list[Word]:
    """One word for each part of ``text``, all with the same keys but in a ``FIXED`` expression; none for no text."""
    return [*_spelled(text, keys)]


def spell_tagged(text: str) -> list[Word]:
    """Words of a fixed phrase, with their keys after a slash: "every/1 day/2", "past/3?,5"."""
    return [*_spelled_tagged(text)]


def within(role: str, words: Iterable[Word]) -> list[Word]:
    """The same words as a part of something larger: each key gets the role in front, "noun" -> "subject.noun"."""
    return [Word(text, _prefixed(role, keys)) for text, keys in words]


@cache
def _spelled(text: str, keys: tuple[str, ...]) -> tuple[Word, ...]:
    return tuple(_fixed(part, keys) for part in FIXED.get(text, text).split())


def _fixed(part: str, keys: tuple[str, ...]) -> Word:
    """A word of an expression, marked as ``fixed`` says."""
    text, _, number = part.partition("/")
    if number:
        return Word(text, (*(f"{key}?" for key in keys), *(f"{key}.{number}" for key in keys)))
    return Word(text.rstrip("?"), tuple(f"{key}?" for key in keys) if text.endswith("?") else keys)


@cache
def _spelled_tagged(text: str) -> tuple[Word, ...]:
    return tuple(Word(part, tuple(keys.split(","))) for part, keys in (item.split("/") for item in text.split()))


@cache
def _prefixed(role: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{role}.{key}" for key in keys)


def merge(text: str, first: Word, second: Word) -> Word:
    """Two words written as one ("le" + "ami" -> "l'ami"): it means what both meant."""
    return Word(text, first.keys + second.keys)


def align(english: list[Word], french: list[Word]) -> tuple[Links, Links]:
    """The words that share a key, sorted: the links to draw, and all that are possible but not sure."""
    said_by: dict[str, list[tuple[int, int]]] = {}
    for i, word in enumerate(english):
        for key in word.keys:
            piece, marks = _unmarked(key)
            said_by.setdefault(piece, []).append((i, marks))
    doubt: dict[tuple[int, int], int] = {}  # 0 sure, 1 possible, 2 possible and not drawn
    for j, word in enumerate(french):
        for key in word.keys:
            piece, marks = _unmarked(key)
            for i, other in said_by.get(piece, ()):
                doubt[i, j] = min(doubt.get((i, j), 2), max(marks, other))
    links = sorted(doubt)
    return tuple(link for link in links if doubt[link] < 2), tuple(link for link in links if doubt[link])


@cache
def _unmarked(key: str) -> tuple[str, int]:
    """A key without its marks, and how many they are."""
    piece = key.rstrip("?")
    return piece, len(key) - len(piece)


def rows(table: str) -> list[list[str]]:
    """The cells of a text table: one row a line, cells between bars."""
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
