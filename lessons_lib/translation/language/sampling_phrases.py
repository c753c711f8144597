"""Random phrases that make sense: subjects, objects, places, pronouns."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from .adjectives import Adjective, attributive
from .meaning import NounPhrase, PrepositionalPhrase, Together, changed
from .nouns import Noun, fits, nouns_of
from .small_words import ALL_PREPOSITIONS, COMPANY, INDEFINITE, NUMBERS, POSSESSIVES, PRONOUN, Preposition, Pronoun
from .verbs import Verb

T = TypeVar("T")
Subject = NounPhrase | Together | Pronoun

PERSON = nouns_of("man")[0]  # what a personal pronoun is taken to stand for
PERSONS = ("I", "you", "he", "she", "we", "they")

# Determiners and how often each is drawn.
SUBJECT_SINGULAR = {"the": 50, "possessive": 18, "this": 6, "that": 3, "a": 9, "owner": 8, "every": 4}
SUBJECT_PLURAL = {"the": 50, "possessive": 17, "this": 6, "that": 3, "number": 14, "many": 5}
SUBJECT_MASS = {"the": 70, "possessive": 20, "this": 10}
OBJECT_SINGULAR = {"the": 36, "a": 28, "possessive": 18, "this": 6, "that": 3, "owner": 8}
OBJECT_PLURAL = {"the": 28, "some": 13, "bare": 13, "possessive": 14, "this": 5, "that": 3, "number": 14, "many": 8}
OBJECT_MASS = {"the": 34, "some": 25, "bare": 25, "possessive": 10, "this": 6}
KIND_SINGULAR = {"the": 50, "possessive": 28, "this": 10, "owner": 10}  # after "like", "love", "hate"
KIND_PLURAL = {"generic": 60, "the": 16, "possessive": 16, "this": 8}
KIND_MASS = {"generic": 70, "the": 16, "possessive": 10, "this": 4}
KIN = {"possessive": 80, "owner": 10, "the": 10}
PLAIN = {"the": 60, "possessive": 40}
PLACE = {"the": 70, "possessive": 14, "this": 6, "a": 10}
PLACES = {"the": 90, "this": 10}
SEVERAL = frozenset({"in", "near", "behind"})  # places that one can be at more than one of: "near the trees"
THERE_SINGULAR = {"a": 1}
THERE_PLURAL = {"some": 15, "bare": 20, "number": 40, "many": 25}
THERE_MASS = {"some": 60, "bare": 40}


@dataclass(frozen=True)
class Draw:
    """The source of chance, and the register: ``polite`` decides which French "you" is meant."""

    rng: random.Random
    polite: bool

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def choose(self, items: Sequence[T]) -> T:
        return items[int(self.rng.random() * len(items))]

    def weighted(self, weights: dict[str, int]) -> str:
        """A key, in proportion to its weight."""
        left = self.rng.random() * sum(weights.values())
        for name in weights:
            left -= weights[name]
            if left < 0:
                break
        return name

    def pronoun(self, names: Sequence[str]) -> Pronoun:
        return PRONOUN[self.register(self.choose(names))]

    def register(self, name: str) -> str:
        """The polite or familiar form of "you" and "your"."""
        return f"{name} {'polite' if self.polite else 'familiar'}" if name in ("you", "your") else name


def noun_of(subject: Subject) -> Noun:
    """The noun that decides what a subject can do and be."""
    match subject:
        case NounPhrase(noun=noun):
            return noun
        case Together(first=first):
            return first.noun
        case _:
            return PERSON


def subject(draw: Draw, kinds: str) -> Subject:
    """Who does it: a pronoun, a noun phrase, or two of them."""
    if "person" in kinds.split() and draw.chance(0.28):
        return draw.pronoun(PERSONS)
    noun = draw.choose(nouns_of(kinds))
    if draw.chance(0.07) and noun.kinds & {"person", "animal"}:
        fellows = nouns_of("person" if "person" in noun.kinds else "animal")
        other = draw.choose([fellow for fellow in fellows if fellow is not noun])
        return Together(with_determiner(draw, noun, False, PLAIN), with_determiner(draw, other, False, PLAIN))
    return with_adjectives(draw, counted(draw, noun, SUBJECT_SINGULAR, SUBJECT_PLURAL, SUBJECT_MASS), 0.33)


def known(who: Subject) -> Subject:
    """The same subject, but no longer indefinite: "a cat" becomes "the cat"."""
    if isinstance(who, NounPhrase) and who.determiner == "a":
        return changed(who, determiner="the")
    return who


def thing(draw: Draw, verb: Verb, who: Subject, negated: bool) -> NounPhrase:
    """What a verb acts on: never the noun that acts."""
    noun = draw.choose(nouns_of(verb.objects))
    while noun is noun_of(who):
        noun = draw.choose(nouns_of(verb.objects))
    if "generic" in verb.options:
        phrase = counted(draw, noun, KIND_SINGULAR, KIND_PLURAL, KIND_MASS)
    else:
        phrase = counted(draw, noun, OBJECT_SINGULAR, OBJECT_PLURAL, OBJECT_MASS)
    if negated and verb.preposition and phrase.determiner in INDEFINITE:
        phrase = changed(phrase, determiner="the")
    elif negated and phrase.determiner == "some":
        phrase = changed(phrase, determiner="any")
    return with_adjectives(draw, phrase, 0.3)


def counted(
    draw: Draw, noun: Noun, singular: dict[str, int], plural: dict[str, int], mass: dict[str, int]
) -> NounPhrase:
    """A noun with a determiner and a number that suit it."""
    if not noun.countable:
        return with_determiner(draw, noun, False, mass)
    is_plural = not noun.kinds & {"name", "mother", "father"} and draw.chance(0.4)
    return with_determiner(draw, noun, is_plural, plural if is_plural else singular)


def with_determiner(draw: Draw, noun: Noun, plural: bool, weights: dict[str, int]) -> NounPhrase:
    """A noun phrase with a determiner drawn from a table."""
    if noun.named:
        return NounPhrase(noun, "name")
    name: str | NounPhrase = draw.weighted(KIN if "kin" in noun.kinds else weights)
    if name in ("possessive", "owner") and "shared" in noun.kinds:
        name = "the"
    elif name == "possessive":
        name = draw.register(draw.choose(POSSESSIVES))
    elif name == "number":
        name = draw.choose(NUMBERS)
    elif name == "owner":
        owner = draw.choose([person for person in nouns_of("person") if person is not noun])
        name = with_determiner(draw, owner, False, PLAIN)
    return NounPhrase(noun, name, plural)


def with_adjectives(draw: Draw, phrase: NounPhrase, probability: float) -> NounPhrase:
    """The phrase with one adjective, or two on either side of the French noun, or none."""
    fitting = attributive(phrase.noun)
    if not fitting or not draw.chance(probability):
        return phrase
    chosen: tuple[Adjective, ...] = (draw.choose(fitting),)
    if draw.chance(0.2):
        second = draw.choose(fitting)
        if second.prenominal != chosen[0].prenominal and second.rank != chosen[0].rank:
            chosen = (*chosen, second)
    return changed(phrase, adjectives=chosen)


def object_pronoun(draw: Draw, phrase: NounPhrase, subject: Subject) -> Pronoun:
    """A pronoun for an object: "it" or "them" for a thing, any for a person."""
    if "person" in phrase.noun.kinds:
        return person_pronoun(draw, subject)
    return PRONOUN["they" if phrase.plural else "it"]


def person_pronoun(draw: Draw, subject: Subject) -> Pronoun:
    """A pronoun for a person who is not the subject: never "I see me", "we see me"."""
    own: tuple[str, ...] = ()
    if isinstance(subject, Pronoun):
        own = ("I", "we") if subject.name in ("I", "we") else ("you",) if subject.english == "you" else ()
    return draw.pronoun([name for name in PERSONS if name not in own])


@cache
def _spots(located: Noun, english: str, kinds: str) -> tuple[tuple[Preposition, Noun], ...]:
    """Every preposition and noun where something can be; "" means any preposition of rest, any kind of place."""
    return tuple(
        (preposition, noun)
        for preposition in ALL_PREPOSITIONS
        if (preposition.english == english if english else preposition.rest) and fits(preposition.located, located)
        for noun in nouns_of(preposition.kinds)
        if noun is not located and (not kinds or fits(kinds, noun))
    )


def somewhere(draw: Draw, located: Noun, english: str = "", kinds: str = "") -> PrepositionalPhrase | None:
    """A place where something can be, or None if there is no such place."""
    spots = _spots(located, english, kinds)
    if not spots:
        return None
    preposition, noun = draw.choose(spots)
    plural = noun.countable and not noun.named and preposition.english in SEVERAL and draw.chance(0.2)
    where = with_determiner(draw, noun, plural, PLACES if plural or not noun.countable else PLACE)
    return PrepositionalPhrase(preposition.english, preposition.french, with_adjectives(draw, where, 0.15))


def company(draw: Draw, subject: Subject, options: frozenset[str]) -> PrepositionalPhrase | None:
    """ "with my sister", "without him", "for the king"."""
    english, french = draw.choose(COMPANY)
    wanted = "for" if english == "for" else "with"
    if wanted not in options:
        return None
    if draw.chance(0.4):
        return PrepositionalPhrase(english, french, person_pronoun(draw, subject))
    noun = draw.choose(nouns_of("person"))
    if isinstance(subject, NounPhrase) and subject.noun is noun:
        return None
    return PrepositionalPhrase(english, french, with_determiner(draw, noun, False, PLACE))
