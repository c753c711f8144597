"""Random places and company: "in the garden", "with my sister"."""

from functools import cache

from .meaning import NounPhrase, PrepositionalPhrase
from .nouns import Noun, fits, nouns_of
from .sampling_phrases import Draw, Subject, person_pronoun, with_adjectives, with_determiner
from .small_words import ALL_PREPOSITIONS, COMPANY, Preposition

PLACE = {"the": 70, "possessive": 14, "this": 6, "a": 10}
PLACES = {"the": 90, "this": 10}
SEVERAL = frozenset({"near", "behind"})  # places that one can be at more than one of: "near the trees"


@cache
def _places(located: Noun, english: str, kinds: str) -> tuple[tuple[Noun, tuple[Preposition, ...]], ...]:
    """Where something can be, and the prepositions that say it; "" means any preposition of rest, any kind of place."""
    fitting = [
        preposition
        for preposition in ALL_PREPOSITIONS
        if (preposition.english == english if english else preposition.rest) and fits(preposition.located, located)
    ]
    places = [
        (noun, tuple(preposition for preposition in fitting if fits(preposition.kinds, noun)))
        for noun in nouns_of(kinds or " ".join(preposition.kinds for preposition in fitting))
        if noun is not located
    ]
    return tuple((noun, prepositions) for noun, prepositions in places if prepositions)


def somewhere(draw: Draw, located: Noun, english: str = "", kinds: str = "") -> PrepositionalPhrase | None:
    """A place where something can be, or None if there is no such place."""
    places = _places(located, english, kinds)
    if not places:
        return None
    noun, prepositions = draw.choose(places)
    preposition = draw.choose(prepositions)
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
    noun = draw.noun("person")
    if isinstance(subject, NounPhrase) and subject.noun is noun:
        return None
    return PrepositionalPhrase(english, french, with_determiner(draw, noun, False, PLACE))
