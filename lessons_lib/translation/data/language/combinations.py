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


def is_typical(sentence: Sentence, text: str) -> bool:
    """Whether a new sentence is kept, so that all that are kept are as long and as involved as training.

    The more combinations a sentence has, the likelier one of them is new: ``1 - known``. Training has it with the
    chance ``known``. The ratio, 1 for a single combination, is how often such a sentence is kept; a checksum decides.
    """
    known = (1 - 1 / ONE_IN) ** len(set(combinations(sentence)))
    share = known / (1 - known) / (ONE_IN - 1)
    return zlib.crc32(f"typical {text}".encode()) < share * 2**32


def combinations(sentence: Sentence) -> Iterator[tuple[str, str]]:
    """(noun, adjective) and (noun, verb) that belong together, in French.

    Every noun goes with its own adjectives; subject, object and recipient also with the verb, and the subject with
    the adjective after "be".
    """
    main = sentence.main
    yield from _in_clause(main, main.subject)
    for clause in (sentence.second, sentence.third):
        if clause:
            yield from _in_clause(clause, clause.subject or main.subject)


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
