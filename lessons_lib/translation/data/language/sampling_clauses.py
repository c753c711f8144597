"""Random clauses: somebody does something, is something, is somewhere; there is something."""

from functools import cache

from .adjectives import Adjective, predicative
from .meaning import Clause, NounPhrase, Together, changed
from .nouns import Noun, fits
from .sampling_adverbs import adverbs, with_adverbs
from .sampling_phrases import (
    PLAIN,
    THERE_MASS,
    THERE_PLURAL,
    THERE_SINGULAR,
    Draw,
    Subject,
    counted,
    evened,
    known,
    noun_of,
    object_pronoun,
    person_pronoun,
    subject,
    thing,
    with_adjectives,
)
from .sampling_places import somewhere
from .small_words import DEGREES, PRONOUN, Pronoun
from .verbs import BE, LEXICON, MODAL_VERBS, REPORTING_VERBS, THERE_BE, Verb

# Tenses and how often each is drawn.
ACTION = {
    "present": 30,
    "progressive": 18,
    "past": 22,
    "future": 12,
    "going to": 7,
    "perfect": 9,
    "past progressive": 3,
}
EVENT = {"present": 34, "past": 36, "future": 14, "going to": 8, "perfect": 11}
STATE = {"present": 65, "past": 20, "future": 15}
DESCRIBED = (
    "person animal",
    "person animal",
    "object clothing vehicle furniture",
    "building food drink room",
    "idea tale text opening",
)
LOCATED = ("person animal", "object clothing", "vehicle food")
THERE = "person animal object clothing vehicle food drink wealth -kin -name -friend"
PASSING = frozenset({"happy", "sad", "tired", "sick"})
AFFIRMED = frozenset({"hate", "prefer"})  # before an infinitive: nobody "does not hate to sing"
POLARITY = {"yes": 66, "not": 24, "never": 6, "no longer": 4}


@cache
def verbs_of(noun: Noun) -> tuple[Verb, ...]:
    """What a noun can do."""
    return tuple(verb for verb in LEXICON if fits(verb.subjects, noun))


def polarity(draw: Draw, tense: str) -> str:
    """Affirmed or denied, in a way that the tense allows."""
    drawn = draw.weighted(POLARITY)
    if drawn == "never" and tense in ("progressive", "past progressive", "going to"):
        return "not"
    if drawn == "no longer" and tense not in ("present", "progressive"):
        return "not"
    return drawn


def denied(said: Clause, how: str) -> Clause:
    """The clause with a polarity; "every" does not go with a denial, and becomes "the"."""
    who = said.subject
    if how != "yes" and isinstance(who, NounPhrase) and who.determiner == "every":
        return changed(said, polarity=how, subject=changed(who, determiner="the"))
    return changed(said, polarity=how)


def action(draw: Draw, who: Subject | None = None, tenses: dict[str, int] | None = None) -> Clause:
    """Somebody does something: "my brother does not often eat apples in the kitchen"."""
    if who is None:
        verb = draw.choose(LEXICON)
        who = subject(draw, verb.subjects)
    else:
        verb = draw.choose(verbs_of(noun_of(who)))
    said = Clause(who, verb)
    willing = not verb.options & {"state", "mishap"} and fits("person animal", noun_of(who))
    if willing and tenses is None and draw.chance(0.13):
        modal = draw.choose(MODAL_VERBS)
        said = changed(said, modal=modal, tense=draw.choose(modal.tenses))
        said = denied(said, "yes" if modal.verb.english in AFFIRMED else polarity(draw, said.tense))
    else:
        tense = draw.weighted(tenses or (STATE if verb.stative else EVENT if "event" in verb.options else ACTION))
        tense = suited(verb, tense)
        said = denied(changed(said, tense=tense), polarity(draw, tense))
    return with_adverbs(draw, with_objects(draw, said))


def suited(verb: Verb, tense: str) -> str:
    """The tense, or one that the verb allows: no "is knowing"; "they read" is the present, the past "have read"."""
    if tense == "past" and verb.past == verb.english:
        return "perfect"
    if verb.stative and tense not in STATE:
        return "present"
    if "event" in verb.options and tense not in EVENT:
        return "past"
    return tense


def with_objects(draw: Draw, said: Clause) -> Clause:
    """The clause with what its verb asks for: an object, somebody who gets it, a place."""
    verb, who = said.verb, said.subject
    if verb.objects and not ("optional" in verb.options and draw.chance(0.2)):
        what = thing(draw, verb, who, said.polarity != "yes")
        if verb.takes_pronoun and draw.chance(0.25) and ("generic" not in verb.options or "person" in what.noun.kinds):
            what = object_pronoun(draw, what, who)
        said = changed(said, object=what)
        if "recipient" in verb.options and draw.chance(0.75):
            said = changed(said, recipient=recipient(draw, who))
    located = noun_of(who)
    for preposition in ("in", "to", "from", "at"):
        kinds = verb.place_kinds(preposition)
        where = somewhere(draw, located, preposition, kinds) if kinds else None
        if where:
            return changed(said, places=(where,))
    return said


def recipient(draw: Draw, who: Subject) -> NounPhrase | Pronoun:
    """The person to whom something is given."""
    noun = draw.noun("person")
    if draw.chance(0.45) or noun is noun_of(who):
        return person_pronoun(draw, who)
    return counted(draw, noun, PLAIN, PLAIN, PLAIN)


def quality(draw: Draw, who: Subject | None = None, state: bool = False, tense: str | None = None) -> Clause:
    """Somebody or something is ...: "the children were very tired"; ``state`` keeps to what passes: "is hungry"."""
    who = known(who or subject(draw, draw.choose(DESCRIBED)))
    if isinstance(who, NounPhrase):
        who = changed(who, adjectives=())
    fitting = states(noun_of(who)) if state else predicative(noun_of(who))
    if isinstance(who, Together):
        fitting = tuple(a for a in fitting if fits(a.kinds, who.second.noun))
    first = draw.choose(evened(fitting))
    said = Clause(who, BE, tense or draw.weighted(STATE), complement=(first,))
    drawn = polarity(draw, said.tense if said.tense == "future" else "present")
    passing = first in states(noun_of(who))
    said = denied(said, "not" if drawn == "never" and not passing else drawn)
    if passing and said.polarity == "yes" and said.tense == "present" and draw.chance(0.15):
        said = changed(said, middle=draw.choose(adverbs("middle", "present")))
    elif said.polarity == "yes" and not state and draw.chance(0.14):
        others = [a for a in fitting if a.rank and first.rank and a.rank != first.rank]
        said = changed(said, complement=(first, draw.choose(others)) if others else (first,))
    elif draw.chance(0.18) and first.graded:
        said = changed(said, degree=draw.choose(tuple(DEGREES)))
    return said


@cache
def states(noun: Noun) -> tuple[Adjective, ...]:
    """What a person or an animal is for a while: hungry, tired."""
    return tuple(a for a in predicative(noun) if a.place in ("avoir", "only") or a.english in PASSING)


def location(draw: Draw) -> Clause:
    """Something is somewhere: "the keys are on the table"."""
    who = known(subject(draw, draw.choose(LOCATED)))
    tense = draw.weighted(STATE)
    said = denied(Clause(who, BE, tense), "not" if draw.chance(0.25) else "yes")
    where = somewhere(draw, noun_of(who))
    return changed(said, places=(where,)) if where else quality(draw, who)


def existence(draw: Draw) -> Clause:
    """There is something: "there are three cats under the table", "there is no milk"."""
    noun = draw.noun(THERE)
    what = with_adjectives(draw, counted(draw, noun, THERE_SINGULAR, THERE_PLURAL, THERE_MASS), 0.3)
    where = somewhere(draw, noun)
    said = Clause(PRONOUN["there"], THERE_BE, draw.weighted(STATE), object=what, places=(where,) if where else ())
    if draw.chance(0.25):
        return changed(said, polarity="not", object=changed(what, determiner="none of"))
    return said


def report(draw: Draw) -> Clause:
    """Somebody thinks or says something: "I think that the cat is hungry"; one hopes only for what is still open."""
    said = draw.choose((action, action, quality, location, existence))(draw)
    open_still = said.tense in ("present", "progressive", "future", "going to")
    verb = draw.choose([verb for verb in REPORTING_VERBS if open_still or verb.english != "hope"])
    return Clause(subject(draw, "person"), verb, that=changed(said, time_first=False))
