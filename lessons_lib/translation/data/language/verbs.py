"""The verbs: their English forms, their French infinitive, who does what to whom, and where."""

from dataclasses import dataclass
from functools import cache

from .verb_table import DOUBLED, MODALS, REPORTING, VERBS
from .words import rows


@dataclass(frozen=True, eq=False)
class Verb:
    """An English verb (base form, past, participle) and a French infinitive.

    ``particle`` is the English word that follows it ("look *for*"), ``preposition`` the French one ("répondre *à*").
    """

    english: str
    past: str
    participle: str
    particle: str
    french: str
    preposition: str
    subjects: str
    objects: str
    options: frozenset[str]

    @property
    def stative(self) -> bool:
        """A state has no progressive, and its French past is the imparfait: "knew" is "connaissait"."""
        return "state" in self.options

    @property
    def takes_pronoun(self) -> bool:
        """Whether its object may be a pronoun."""
        return "noun" not in self.options

    def place_kinds(self, preposition: str) -> str:
        """The kinds of place a verb asks for after a preposition, "" if none: ``place_kinds("in")`` of "live"."""
        found = [option for option in self.options if option.startswith(preposition + "=")]
        return found[0].partition("=")[2].replace(",", " ") if found else ""


@dataclass(frozen=True, eq=False)
class Modal:
    """A verb before an infinitive. An auxiliary needs no "do" and no "to": "cannot sleep"."""

    verb: Verb
    auxiliary: bool
    tenses: tuple[str, ...]


def _regular_past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + "ed"


def _read(english: str, french: str, subjects: str, objects: str, options: str) -> Verb:
    forms, _, particle = english.partition("+")
    base, past, participle = (*forms.split(), "", "")[:3]
    infinitive, _, preposition = french.partition("+")
    return Verb(
        base,
        past or _regular_past(base),
        participle or past or _regular_past(base),
        particle.strip(),
        infinitive.strip(),
        preposition.strip(),
        subjects,
        objects,
        frozenset(options.split()),
    )


def _read_modal(english: str, french: str, tenses: str, kind: str) -> Modal:
    return Modal(_read(english, french, "person", "", "state"), kind == "auxiliary", tuple(tenses.split()))


BE = _read("be was been", "être", "", "", "state")
THERE_BE = _read("be was been", "avoir", "", "", "state")  # "there is" is "il y a"
EXPLETIVE = ("verb??", "finite??")  # "there", "il" and "y" say nothing but that: each goes with every verb form

LEXICON: tuple[Verb, ...] = tuple(_read(*row) for row in rows(VERBS))
REPORTING_VERBS: tuple[Verb, ...] = tuple(_read(*row) for row in rows(REPORTING))
MODAL_VERBS: tuple[Modal, ...] = tuple(_read_modal(*row) for row in rows(MODALS))


@cache
def third_person(base: str) -> str:
    """The English form after he, she, it: "goes", "carries", "has"."""
    if base == "have":
        return "has"
    if base.endswith(("s", "sh", "ch", "x", "o")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


@cache
def ing_form(base: str) -> str:
    """The English -ing form: "sleeping", "writing", "running"."""
    if base in DOUBLED:
        return base + base[-1] + "ing"
    if base.endswith("e") and not base.endswith("ee"):
        return base[:-1] + "ing"
    return base + "ing"
