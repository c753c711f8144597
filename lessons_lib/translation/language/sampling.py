"""Random sentences: clauses, questions, and two clauses joined."""

import random
from collections.abc import Callable

from .meaning import Clause, NounPhrase, Sentence, Together, changed
from .nouns import fits
from .sampling_clauses import action, existence, location, quality, report
from .sampling_phrases import Draw, Subject, noun_of
from .small_words import NUMBERS, PRONOUN, Pronoun

PAST = frozenset({"past", "past progressive", "perfect"})


def sample_sentence(rng: random.Random) -> Sentence:
    """One sentence at random. Written with care it is polite ("vous"), typed in a hurry familiar ("tu")."""
    written = rng.random() < 0.65
    draw = Draw(rng, polite=written)
    construction = CONSTRUCTIONS[draw.weighted(WEIGHTS)]
    return changed(construction(draw), written=written, contracted=draw.chance(0.3))


def statement(sample: Callable[[Draw], Clause]) -> Callable[[Draw], Sentence]:
    """The construction with one clause, as it is drawn."""
    return lambda draw: Sentence(sample(draw))


def question(draw: Draw) -> Sentence:
    """ "do the cats sleep", "where is the key", "what are you eating", "who is singing"."""
    kind = draw.weighted({"yes-no": 50, "where": 7, "where is": 7, "when": 8, "why": 8, "what": 10, "who": 10})
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
    if kind == "what" and isinstance(said.object, NounPhrase) and "person" not in said.object.noun.kinds:
        return changed(said, question="what", object=None)
    if kind == "who" and fits("person", noun_of(said.subject)):
        return changed(said, question="who", subject=PRONOUN["who"])
    return changed(said, question="why" if kind == "why" else "yes-no")


def relative(draw: Draw) -> Sentence:
    """ "the man who is singing is tired"."""
    said = draw.choose((action, quality))(draw)
    who = said.subject
    if not isinstance(who, NounPhrase) or who.determiner not in ("the", "a", "this", "that"):
        return Sentence(said)
    if not fits("person animal", who.noun):
        return Sentence(said)
    clause = action(draw, who, {"present": 40, "progressive": 35, "past": 25})
    clause = changed(clause, subject=None, time=None, places=clause.places[:1])
    return Sentence(changed(said, subject=changed(who, relative=clause, adjectives=())))


def because(draw: Draw) -> Sentence:
    """ "the girls are not working because they are tired"."""
    main = plain(action(draw))
    if not fits("person animal", noun_of(main.subject)):
        return Sentence(main)
    reason = quality(draw, main.subject, state=True, tense="past" if main.tense in PAST else "present")
    return Sentence(main, "because", about(main, reason))


def when(draw: Draw) -> Sentence:
    """ "my brother sings when he is happy"."""
    main = plain(action(draw, tenses={"present": 1}))
    if not fits("person animal", noun_of(main.subject)):
        return Sentence(main)
    return Sentence(main, "when", about(main, affirmed(quality(draw, main.subject, state=True, tense="present"))))


def condition(draw: Draw) -> Sentence:
    """ "the dogs will eat if they are hungry"."""
    main = plain(action(draw, tenses={"future": 1}))
    if main.tense != "future":
        return Sentence(main)
    if fits("person animal", noun_of(main.subject)) and draw.chance(0.6):
        state = affirmed(quality(draw, main.subject, state=True, tense="present"))
        return Sentence(main, "if", about(main, state))
    return Sentence(main, "if", plain(action(draw, tenses={"present": 1})))


def two_clauses(draw: Draw) -> Sentence:
    """ "the cat is sleeping but the dog wants to play", "the cat is old but it runs"."""
    first = plain(draw.choose((action, quality))(draw))
    sample = draw.choose((action, quality))
    if draw.chance(0.5) and fits("person animal", noun_of(first.subject)):
        second = about(first, sample(draw, first.subject))
    else:
        second = sample(draw)
    return Sentence(first, draw.choose(("and", "but")), plain(second))


def two_verbs(draw: Draw) -> Sentence:
    """ "she sings and dances": the second verb shares the subject of the first."""
    tense = draw.choose(("present", "past"))
    first = plain(action(draw, tenses={tense: 1}))
    second = plain(action(draw, first.subject, tenses={tense: 1}))
    shared = first.tense == second.tense == tense and first.polarity == second.polarity == "yes"
    if not shared or first.verb is second.verb:
        return Sentence(first)
    return Sentence(first, "and", changed(second, subject=None, middle=None))


def plain(said: Clause) -> Clause:
    """The clause without a time, so that two of them do not get too long."""
    return changed(said, time=None, time_first=False)


def affirmed(said: Clause) -> Clause:
    """The clause without a denial and without "often": a plain condition."""
    return changed(said, polarity="yes", middle=None)


def about(main: Clause, second: Clause) -> Clause:
    """The second clause, about the subject of the first one, with a pronoun for it."""
    return changed(second, subject=refer(main.subject))


def refer(who: Subject) -> Subject:
    """The pronoun that stands for a subject: "it" is "elle" when it means a mouse."""
    match who:
        case Pronoun():
            return who
        case Together(first=first, second=second):
            feminine, plural, person = first.noun.feminine and second.noun.feminine, True, True
        case _:
            feminine, plural, person = who.noun.feminine, who.plural, "person" in who.noun.kinds
    if plural:
        return PRONOUN["they feminine" if feminine else "they"]
    if person:
        return PRONOUN["she" if feminine else "he"]
    return PRONOUN["it feminine" if feminine else "it"]


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
    "two clauses": two_clauses,
    "two verbs": two_verbs,
}
WEIGHTS = {
    "action": 43,
    "question": 16,
    "quality": 11,
    "location": 4,
    "existence": 6,
    "report": 4,
    "relative": 4,
    "because": 4,
    "when": 2,
    "if": 2,
    "two clauses": 3,
    "two verbs": 3,
}
