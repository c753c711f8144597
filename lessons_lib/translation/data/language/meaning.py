"""What a sentence says, before it is said in a language.

A meaning is a small tree: a Sentence has one or two Clauses, a Clause a subject, a verb and what goes with it. Words
are looked up by their English form: ``noun_phrase("the small black cats")``.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeVar, Union

from . import adjectives, nouns, verbs
from .adjectives import Adjective
from .nouns import Noun
from .small_words import ALL_PREPOSITIONS, DETERMINER, Adverb, Pronoun
from .verbs import Modal, Verb

T = TypeVar("T")


@dataclass(frozen=True)
class NounPhrase:
    """A noun with its determiner (a name in ``DETERMINER``, or a possessor: "my brother's cat")."""

    noun: Noun
    determiner: Union[str, "NounPhrase"] = "the"
    plural: bool = False
    adjectives: tuple[Adjective, ...] = ()
    relative: Union["Clause", None] = None  # "the man who is singing": a clause without a subject


@dataclass(frozen=True)
class Together:
    """Two noun phrases joined by "and"."""

    first: NounPhrase
    second: NounPhrase


@dataclass(frozen=True)
class PrepositionalPhrase:
    """A preposition in both languages and what follows it."""

    english: str
    french: str
    object: NounPhrase | Pronoun


@dataclass(frozen=True)
class Clause:
    """One verb and all that goes with it.

    tense: present | progressive | past | past progressive | perfect | future | going to
    polarity: yes | not | never | no longer
    question: None | yes-no | where | when | why | how | what | who
    """

    subject: NounPhrase | Together | Pronoun | None
    verb: Verb
    tense: str = "present"
    polarity: str = "yes"
    question: str | None = None
    modal: Modal | None = None
    object: NounPhrase | Together | Pronoun | None = None
    recipient: NounPhrase | Pronoun | None = None
    complement: tuple[Adjective, ...] = ()  # after "be"
    degree: str | None = None  # "very", "too"
    middle: Adverb | None = None
    manner: Adverb | None = None
    places: tuple[PrepositionalPhrase | Adverb, ...] = ()
    time: Adverb | None = None
    time_first: bool = False
    that: Union["Clause", None] = None  # "I think that ..."

    @property
    def inverted(self) -> bool:
        """Whether English puts the auxiliary before the subject."""
        return self.question not in (None, "who")


@dataclass(frozen=True)
class Sentence:
    """One clause, or two or three joined by conjunctions, and how they are written.

    A second clause without a subject shares the first one's: "she sings and dances".
    """

    main: Clause
    conjunction: str | None = None
    second: Clause | None = None
    written: bool = True  # a capital and a final mark; else bare lower case, as one types into a box
    contracted: bool = False  # "don't", "she's"
    link: str | None = None  # the conjunction before a third clause
    third: Clause | None = None


def changed(meaning: T, **changes: object) -> T:
    """A meaning with some fields changed, as ``dataclasses.replace`` but several times faster."""
    if not changes.keys() <= meaning.__dict__.keys():
        unknown = sorted(changes.keys() - meaning.__dict__.keys())
        raise TypeError(f"{type(meaning).__name__} has no field {unknown}; see meaning.py")
    copy = object.__new__(type(meaning))
    copy.__dict__.update(meaning.__dict__, **changes)
    return copy


class Agreement(NamedTuple):
    """What a subject passes on to its verb (the French person, 1 to 6) and to its adjectives."""

    person: int
    feminine: bool
    plural: bool


def agreement(subject: NounPhrase | Together | Pronoun) -> Agreement:
    """Person, gender and number of a subject. Two nouns are feminine only if both are."""
    match subject:
        case NounPhrase(noun=noun, plural=plural):
            return Agreement(6 if plural else 3, noun.feminine, plural)
        case Together(first=first, second=second):
            return Agreement(6, first.noun.feminine and second.noun.feminine, True)
        case _:
            return Agreement(subject.person, subject.feminine, subject.plural)


def adjective(english: str, place: str | None = None) -> Adjective:
    """The adjective with this English form; ``place="avoir"`` finds the "cold" of "be cold"."""
    for found in adjectives.LEXICON:
        if found.english == english and place in (None, found.place):
            return found
    raise ValueError(f"adjective {english!r} is not in the lexicon; add it to adjectives.py")


def verb(english: str) -> Verb:
    """The verb with this English form, with its particle: "look for"."""
    for found in (verbs.BE, *verbs.LEXICON, *verbs.REPORTING_VERBS):
        if f"{found.english} {found.particle}".strip() == english:
            return found
    raise ValueError(f"verb {english!r} is not in the lexicon; add it to verbs.py")


def modal(english: str) -> Modal:
    """The modal verb with this English form."""
    for found in verbs.MODAL_VERBS:
        if found.verb.english == english:
            return found
    raise ValueError(f"modal verb {english!r} is not in the lexicon; add it to verbs.py")


def noun_phrase(english: str, determiner: str | NounPhrase | None = None) -> NounPhrase:
    """A noun phrase from its English words: [determiner] [adjectives] noun.

    Without a determiner it is "bare" ("she drinks water"), or the one given ("generic", "your polite", a possessor).
    """
    *before, last = english.split()
    for noun in nouns.LEXICON:
        if last in (noun.english, noun.english_plural):
            break
    else:
        raise ValueError(f"noun {last!r} is not in the lexicon; add it to nouns.py")
    if before and determiner is None:
        first = {"an": "a", "these": "this", "those": "that"}.get(before[0], before[0])
        if first in DETERMINER:
            determiner, before = first, before[1:]
    return NounPhrase(
        noun,
        determiner or ("name" if noun.named else "bare"),
        noun.countable and last == noun.english_plural,
        tuple(adjective(word) for word in before),
    )


def place(preposition: str, where: NounPhrase) -> PrepositionalPhrase:
    """Where something is, from the English preposition: ``place("in", noun_phrase("the garden"))``."""
    for found in ALL_PREPOSITIONS:
        if found.english == preposition and nouns.fits(found.kinds, where.noun):
            return PrepositionalPhrase(found.english, found.french, where)
    raise ValueError(f"no {preposition!r} goes with {where.noun.english!r}; add one to PREPOSITIONS in small_words.py")
