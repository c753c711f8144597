"""Random sentences: clauses, questions, and two clauses joined."""

import random
from collections.abc import Callable

from .meaning import Clause, NounPhrase, Sentence, changed
from .nouns import fits
from .sampling_clauses import action, existence, location, quality, report
from .sampling_joined import because, condition, consequence, meanwhile, three_clauses, two_clauses, two_verbs, when
from .sampling_phrases import Draw, noun_of
from .small_words import NUMBERS, PRONOUN

ASKED = {"yes-no": 50, "where": 7, "where is": 7, "when": 7, "why": 8, "how": 12, "what": 10, "who": 10}


def sample_sentence(rng: random.Random, weights: dict[str, int] | None = None) -> Sentence:
    """One sentence at random, each construction as often as ``weights`` say (`WEIGHTS` without them).

    Written with care it is polite ("vous"), typed in a hurry familiar ("tu").
    """
    written = rng.random() < 0.65
    draw = Draw(rng, polite=written)
    construction = CONSTRUCTIONS[draw.weighted(weights or WEIGHTS)]
    return changed(construction(draw), written=written, contracted=draw.chance(0.3))


def statement(sample: Callable[[Draw], Clause]) -> Callable[[Draw], Sentence]:
    """The construction with one clause, as it is drawn."""
    return lambda draw: Sentence(sample(draw))


def question(draw: Draw) -> Sentence:
    """ "do the cats sleep", "where is the key", "what are you eating", "who is singing"."""
    kind = draw.weighted(ASKED)
    if kind == "where is":
        said = location(draw)
        tense, who = "past" if said.tense == "past" else "present", said.subject
        if isinstance(who, NounPhrase) and who.determiner in ("every", "many", *NUMBERS):
            who = changed(who, determiner="the")
        return Sentence(Clause(who, said.verb, tense, question="where"))
    sample = action if kind != "yes-no" else draw.choose((action, action, quality, existence))
    said = changed(sample(draw), time_first=False)
    if said.polarity != "yes" and not (said.polarity == "not" and kind in ("yes-no", "why")):
        return Sentence(said)
    return Sentence(ask(said, kind))


def ask(said: Clause, kind: str) -> Clause:
    """The clause as a question of this kind, or for yes or no if it has nothing else to ask."""
    if kind == "where" and said.verb.options & {"place", "outdoors"} and not said.manner:
        return changed(said, question="where", places=())
    if kind == "when" and said.tense in ("past", "future", "going to") and not said.verb.stative:
        return changed(said, question="when", time=None, middle=None)
    if kind == "how" and said.verb.options & {"well", "speed"} and not said.manner and not said.modal:
        return changed(said, question="how", middle=None)
    if kind == "what" and is_thing(said.object) and not said.verb.preposition:
        return changed(said, question="what", object=None)
    if kind == "who" and fits("person", noun_of(said.subject)):
        return changed(said, question="who", subject=PRONOUN["who"])
    return changed(said, question="why" if kind == "why" else "yes-no")


def is_thing(what: object) -> bool:
    """Whether an object is a noun that one asks for with "what"."""
    return isinstance(what, NounPhrase) and "person" not in what.noun.kinds


def relative(draw: Draw) -> Sentence:
    """ "the man who is singing is tired"."""
    said = draw.choose((action, quality))(draw)
    who = said.subject
    if not isinstance(who, NounPhrase) or who.determiner not in ("the", "a", "this", "that"):
        return Sentence(said)
    if who.noun.named or not fits("person animal", who.noun):
        return Sentence(said)
    clause = action(draw, who, {"present": 40, "progressive": 35, "past": 25})
    clause = changed(clause, subject=None, time=None, places=clause.places[:1])
    return Sentence(changed(said, subject=changed(who, relative=clause, adjectives=())))


def relative_question(draw: Draw) -> Sentence:
    """ "is the man who is singing tired"."""
    said = relative(draw)
    if isinstance(said.main.subject, NounPhrase) and said.main.subject.relative and said.main.polarity == "yes":
        return changed(said, main=changed(said.main, question="yes-no", time_first=False))
    return said


# Each construction and how often it is drawn.
CONSTRUCTIONS: dict[str, Callable[[Draw], Sentence]] = {
    "action": statement(action),
    "question": question,
    "quality": statement(quality),
    "location": statement(location),
    "existence": statement(existence),
    "report": statement(report),
    "relative": relative,
    "because": because,
    "when": when,
    "if": condition,
    "so": consequence,
    "while": meanwhile,
    "two clauses": two_clauses,
    "two verbs": two_verbs,
    "relative question": relative_question,
    "three clauses": three_clauses,
}
WEIGHTS = {
    "action": 43,
    "question": 16,
    "quality": 11,
    "location": 4,
    "existence": 6,
    "report": 4,
    "relative": 6,
    "because": 4,
    "when": 2,
    "if": 2,
    "so": 2,
    "while": 2,
    "two clauses": 3,
    "two verbs": 3,
}
# To draw what training lacks: see ``unseen``.
UNSEEN_WEIGHTS = {"question": 30, "action": 50, "relative question": 8}
LONG_WEIGHTS = {"three clauses": 1}
