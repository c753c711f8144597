"""Random phrases that make sense: subjects, objects, pronouns."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from . import numbers
from .adjectives import Adjective, attributive
from .meaning import NounPhrase, Together, changed
from .nouns import Noun, common_and_named, cumulative, nouns_of
from .small_words import INDEFINITE, POSSESSIVES, PRONOUN, Pronoun
from .verbs import Verb

T = TypeVar("T")
Subject = NounPhrase | Together | Pronoun

PERSON = nouns_of("man")[0]  # what a personal pronoun is taken to stand for
PERSONS = ("I", "you", "he", "she", "we", "they")

# Determiners and how often each is drawn.
SUBJECT_SINGULAR = {"the": 50, "possessive": 18, "this": 6, "that": 3, "a": 9, "owner": 8, "every": 4}
SUBJECT_PLURAL = {"the": 50, "possessive": 17, "this": 6, "that": 3, "number": 22, "many": 5}
SUBJECT_MASS = {"the": 70, "possessive": 20, "this": 10}
OBJECT_SINGULAR = {"the": 36, "a": 28, "possessive": 18, "this": 6, "that": 3, "owner": 8}
OBJECT_PLURAL = {"the": 28, "some": 13, "bare": 13, "possessive": 14, "this": 5, "that": 3, "number": 24, "many": 8}
OBJECT_MASS = {"the": 34, "some": 25, "bare": 25, "possessive": 10, "this": 6}
KIND_SINGULAR = {"the": 50, "possessive": 28, "this": 10, "owner": 10}  # after "like", "love", "hate"
KIND_PLURAL = {"generic": 60, "the": 16, "possessive": 16, "this": 8}
KIND_MASS = {"generic": 70, "the": 16, "possessive": 10, "this": 4}
KIN = {"possessive": 80, "owner": 10, "the": 10}
PLAIN = {"the": 60, "possessive": 40}
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

    def noun(self, kinds: str) -> Noun:
        """A noun of any of these kinds: a name one time in six, where there are names and other nouns."""
        common, named = common_and_named(kinds)
        nouns = named if named and (not common or self.chance(1 / 6)) else common
        return self.rng.choices(nouns, cum_weights=cumulative(nouns))[0]

    def number(self) -> str:
        """A number, as a determiner: mostly a small one, in words or in digits."""
        style = self.weighted({"small": 40, "words": 30, "digits": 25, "round": 5})
        if style == "small":
            return self.choose(numbers.SMALL)
        if style == "round":
            return self.choose(numbers.ROUND)[0]
        number = 2 + int(self.rng.random() * 98)
        return numbers.english(number) if style == "words" else str(number)

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
    noun = draw.noun(kinds)
    if draw.chance(0.07) and noun.kinds & {"person", "animal"}:
        other = draw.noun("person" if "person" in noun.kinds else "animal")
        if other is noun:
            return with_determiner(draw, noun, False, PLAIN)
        return Together(with_determiner(draw, noun, False, PLAIN), with_determiner(draw, other, False, PLAIN))
    return with_adjectives(draw, counted(draw, noun, SUBJECT_SINGULAR, SUBJECT_PLURAL, SUBJECT_MASS), 0.33)


def known(who: Subject) -> Subject:
    """The same subject, but no longer indefinite: "a cat" becomes "the cat"."""
    if isinstance(who, NounPhrase) and who.determiner == "a":
        return changed(who, determiner="the")
    return who


def thing(draw: Draw, verb: Verb, who: Subject, negated: bool) -> NounPhrase:
    """What a verb acts on: never the noun that acts."""
    noun = draw.noun(verb.objects)
    while noun is noun_of(who):
        noun = draw.noun(verb.objects)
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
        return NounPhrase(noun, "generic" if "country" in noun.kinds and weights is KIND_SINGULAR else "name")
    name: str | NounPhrase = draw.weighted(KIN if "kin" in noun.kinds else weights)
    if name in ("possessive", "owner") and "shared" in noun.kinds:
        name = "the"
    elif name == "possessive":
        name = draw.register(draw.choose(POSSESSIVES[:4] if "spouse" in noun.kinds else POSSESSIVES))
    elif name == "number":
        name = draw.number()
    elif name == "owner":
        owner = draw.noun("person -kin" if "kin" in noun.kinds else "person")
        while owner is noun:
            owner = draw.noun("person")
        name = with_determiner(draw, owner, False, PLAIN)
    return NounPhrase(noun, name, plural)


@cache
def evened(fitting: tuple[Adjective, ...]) -> tuple[Adjective, ...]:
    """The adjectives, those that go with few nouns three times, so that "sharp" is not much rarer than "small"."""
    return tuple(a for a in fitting for _ in range(3 if len(nouns_of(a.kinds)) < 20 else 1))


def with_adjectives(draw: Draw, phrase: NounPhrase, probability: float) -> NounPhrase:
    """The phrase with one adjective, or two on either side of the French noun, or none."""
    fitting = evened(attributive(phrase.noun))
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
