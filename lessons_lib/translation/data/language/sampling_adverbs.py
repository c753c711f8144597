"""Random adverbs: how, where, with whom and when something is done."""

from functools import cache

from .dates import dated
from .meaning import Clause, changed
from .nouns import fits
from .sampling_phrases import Draw, noun_of
from .sampling_places import company, somewhere
from .small_words import ALL_ADVERBS, Adverb


@cache
def adverbs(use: str, tense: str = "") -> tuple[Adverb, ...]:
    """The adverbs of a use that go with a tense."""
    return tuple(a for a in ALL_ADVERBS if a.use.split()[0] == use and (not tense or tense in a.use.split()))


def with_adverbs(draw: Draw, said: Clause) -> Clause:
    """The clause with perhaps an adverb, a place, company, a time."""
    verb, options = said.verb, said.verb.options
    free = said.modal is None and said.tense != "going to"
    if free and not verb.stative and said.polarity in ("yes", "not") and draw.chance(0.14):
        fitting = adverbs("middle", said.tense)
        if said.polarity == "not":
            fitting = tuple(adverb for adverb in fitting if adverb.english in ("always/1", "often/1"))
        if fitting:
            said = changed(said, middle=draw.choose(fitting))
    uses = [use for use in ("well", "speed") if use in options]
    if free and uses and not said.object and not said.middle and draw.chance(0.2):
        return changed(said, manner=draw.choose(adverbs(draw.choose(uses))))
    if "place" in options and draw.chance(0.3):
        where = anywhere(draw, said.polarity) if draw.chance(0.15) else somewhere(draw, noun_of(said.subject))
        said = changed(said, places=(where,) if where else ())
    elif "outdoors" in options and draw.chance(0.5):
        where = somewhere(draw, noun_of(said.subject), "in", "outdoors")
        said = changed(said, places=(where,) if where else ())
    elif draw.chance(0.12) and fits("person", noun_of(said.subject)):
        with_whom = company(draw, said.subject, options)
        said = changed(said, places=(*said.places, with_whom) if with_whom else said.places)
    if not said.middle and not verb.stative and said.polarity in ("yes", "not") and draw.chance(0.3):
        said = with_time(draw, said)
    return said


def anywhere(draw: Draw, polarity: str) -> Adverb:
    """ "here", "at home"; "everywhere" only where nothing is denied."""
    return draw.choose(tuple(a for a in adverbs("place") if polarity == "yes" or a.english != "everywhere/1"))


def with_time(draw: Draw, said: Clause) -> Clause:
    """The clause with a time that suits its tense."""
    tense = "future" if said.tense == "going to" else said.tense
    if not said.modal and said.polarity == "yes" and draw.chance(0.6) and (when := dated(draw, tense)):
        return changed(said, time=when, time_first=draw.chance(0.25))
    fitting = adverbs("time", tense)
    if said.polarity == "not":
        fitting = tuple(adverb for adverb in fitting if adverb.english != "every/1 day/2")
    if not fitting or said.modal:
        return said
    return changed(said, time=draw.choose(fitting), time_first=draw.chance(0.25))
