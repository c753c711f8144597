"""The nouns: English, French, gender, and the kinds of thing they name.

Kinds keep the sentences plausible: verbs, adjectives and prepositions say which kinds they go with, so that
people eat food and not tables. The noun itself is one of its kinds, so a table can also name a single noun. "thing"
is any object, garment, vehicle or piece of furniture. What is "shared" is nobody's: no "my king", no "her station".
The frequent nouns of a kind come first: they are drawn more often (``FREQUENCY``).
A French noun that starts with * has an aspirated h: "le héros", never "l'héros".
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from .living import ANIMALS, PEOPLE
from .names import NAMES, UNSEEN_NAMES
from .places import PLACES
from .things import THINGS
from .words import rows


@dataclass(frozen=True, eq=False)
class Noun:
    english: str
    english_plural: str
    french: str
    french_plural: str
    feminine: bool
    kinds: frozenset[str]

    @property
    def countable(self) -> bool:
        return "mass" not in self.kinds

    @property
    def named(self) -> bool:
        """True for a proper noun, which takes no article in either language."""
        return "name" in self.kinds


TABLES = (PEOPLE, ANIMALS, THINGS, PLACES, NAMES, UNSEEN_NAMES)
ROWS = [row for table in TABLES for row in rows(table)]
THING_KINDS = frozenset({"object", "clothing", "vehicle", "furniture"})


def _english_plural(noun: str) -> str:
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def _french_plural(noun: str) -> str:
    if noun.endswith(("s", "x", "z")):
        return noun
    if noun.endswith(("eau", "eu")):
        return noun + "x"
    if noun.endswith("al"):
        return noun[:-2] + "aux"
    return noun + "s"


def _read(english: str, french: str, kinds: str) -> Noun:
    english, _, english_plural = english.partition("/")
    french, gender = french.lstrip("*").split()
    french, _, french_plural = french.partition("/")
    return Noun(
        english,
        english_plural or _english_plural(english),
        french,
        french_plural or _french_plural(french),
        gender == "f",
        frozenset([english, *kinds.split(), *("thing" for kind in kinds.split() if kind in THING_KINDS)]),
    )


def _frequencies() -> Iterator[float]:
    """How often each noun is drawn: its rank among the nouns of its first kind, to the power of -0.25.

    Zipf found a power near -1 in real text. It is milder here, so that every noun is learned.
    """
    ranks: Counter[str] = Counter()
    for _, _, kinds in ROWS:
        first_kind = kinds.split()[0]
        ranks[first_kind] += 1
        yield ranks[first_kind] ** -0.25


LEXICON: tuple[Noun, ...] = tuple(_read(*row) for row in ROWS)
FREQUENCY: dict[Noun, float] = dict(zip(LEXICON, _frequencies(), strict=True))
UNSEEN = LEXICON[-len(rows(UNSEEN_NAMES)) :]  # the names that training never sees

ASPIRATED = frozenset(
    form
    for (_, french, _), noun in zip(ROWS, LEXICON, strict=True)
    if french.startswith("*")
    for form in (noun.french, noun.french_plural)
)


@cache
def nouns_of(kinds: str) -> tuple[Noun, ...]:
    """The nouns of any of these kinds, in the order of the table: "food drink -mass" is all food and drink but mass."""
    wanted = {kind for kind in kinds.split() if not kind.startswith("-")}
    unwanted = {kind[1:] for kind in kinds.split() if kind.startswith("-")}
    return tuple(noun for noun in LEXICON if noun.kinds & wanted and not noun.kinds & unwanted)


@cache
def common_and_named(kinds: str) -> tuple[tuple[Noun, ...], tuple[Noun, ...]]:
    """The nouns of any of these kinds: those that are common nouns, and those that are names."""
    found = nouns_of(kinds)
    return tuple(noun for noun in found if not noun.named), tuple(noun for noun in found if noun.named)


@cache
def cumulative(nouns: tuple[Noun, ...]) -> tuple[float, ...]:
    """The frequencies of the nouns, added up."""
    return tuple(accumulate(FREQUENCY[noun] for noun in nouns))


@cache
def fits(kinds: str, noun: Noun) -> bool:
    """Whether a noun is of any of these kinds."""
    return noun in nouns_of(kinds)
