"""Which nouns, adjectives and verbs of a sentence stand together, and which pairs training never sees."""

import zlib
from collections.abc import Iterator
from functools import cache

from .meaning import Clause, NounPhrase, PrepositionalPhrase, Sentence, Together

ONE_IN = 12  # one in so many pairs of words is held out
REMAINDER = 4  # one that leaves the words of the showcase together


@cache
def held_out(noun: str, other: str) -> bool:
    """Whether a French noun and a French adjective or verb never meet in training.

    A checksum decides, so the choice is the same for every seed, run and computer, and for words added later.
    """
    return zlib.crc32(f"{noun} {other}".encode()) % ONE_IN == REMAINDER


def is_new(sentence: Sentence) -> bool:
    """Whether a sentence has a held-out combination."""
    return any(held_out(*pair) for pair in combinations(sentence))


def combinations(sentence: Sentence) -> Iterator[tuple[str, str]]:
    """(noun, adjective) and (noun, verb) that belong together, in French.

    Every noun goes with its own adjectives; subject, object and recipient also with the verb, and the subject with
    the adjective after "be".
    """
    main, second = sentence.main, sentence.second
    yield from _in_clause(main, main.subject)
    if second:
        yield from _in_clause(second, second.subject or main.subject)


def _in_clause(clause: Clause, subject: object) -> Iterator[tuple[str, str]]:
    verb = clause.verb.french
    for phrase in _phrases(subject):
        yield phrase.noun.french, verb
        for adjective in clause.complement:
            yield phrase.noun.french, adjective.masculine
    for phrase in (*_phrases(clause.object), *_phrases(clause.recipient)):
        yield phrase.noun.french, verb
    places = [place.object for place in clause.places if isinstance(place, PrepositionalPhrase)]
    for part in (clause.subject, clause.object, clause.recipient, *places):
        for phrase in _phrases(part):
            yield from _in_phrase(phrase)
    if clause.that:
        yield from _in_clause(clause.that, clause.that.subject)


def _in_phrase(phrase: NounPhrase) -> Iterator[tuple[str, str]]:
    for adjective in phrase.adjectives:
        yield phrase.noun.french, adjective.masculine
    if isinstance(phrase.determiner, NounPhrase):
        yield from _in_phrase(phrase.determiner)
    if phrase.relative:
        yield from _in_clause(phrase.relative, phrase)


def _phrases(part: object) -> tuple[NounPhrase, ...]:
    if isinstance(part, Together):
        return part.first, part.second
    return (part,) if isinstance(part, NounPhrase) else ()
