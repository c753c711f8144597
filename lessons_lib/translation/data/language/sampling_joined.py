"""Random sentences of two or three clauses."""

from collections.abc import Callable

from .meaning import Clause, Sentence, Together, changed
from .nouns import fits
from .sampling_clauses import action, location, quality
from .sampling_phrases import Draw, Subject, noun_of, subject
from .small_words import PRONOUN, Pronoun

PAST = frozenset({"past", "past progressive", "perfect"})


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
    if main.verb.stative or not fits("person animal", noun_of(main.subject)):
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
    return Sentence(main, "if", another(draw, lambda draw: action(draw, tenses={"present": 1})))


def two_clauses(draw: Draw) -> Sentence:
    """ "the cat is sleeping but the dog wants to play", "the cat is old but it runs"."""
    first = plain(draw.choose((action, quality))(draw))
    sample = draw.choose((action, quality))
    if draw.chance(0.5) and fits("person animal", noun_of(first.subject)):
        second = about(first, sample(draw, first.subject))
    else:
        second = another(draw, sample)
    return Sentence(first, draw.choose(("and", "but")), plain(second))


def consequence(draw: Draw) -> Sentence:
    """ "my brother is tired so he is sleeping"."""
    state = affirmed(quality(draw, subject(draw, "person animal"), state=True, tense="present"))
    return Sentence(state, "so", about(state, plain(action(draw, state.subject, {"present": 2, "progressive": 3}))))


def meanwhile(draw: Draw) -> Sentence:
    """ "the cat is sleeping while my sister is reading a book"."""
    first = plain(action(draw, tenses={"progressive": 1}))
    second = another(draw, lambda draw: action(draw, tenses={"progressive": 1}))
    both = (first.tense, second.tense, first.polarity, second.polarity)
    return Sentence(first, "while", second) if both == ("progressive", "progressive", "yes", "yes") else Sentence(first)


def three_clauses(draw: Draw) -> Sentence:
    """Two clauses and a third: "she sings and dances but he is reading because he is tired"."""
    said = draw.choose((because, condition, two_clauses, two_verbs, consequence, meanwhile))(draw)
    if said.second is None:
        return said
    third = another(draw, action, action, quality, location)
    return changed(said, link="and" if said.conjunction == "but" else draw.choose(("and", "but")), third=third)


def two_verbs(draw: Draw) -> Sentence:
    """ "she sings and dances": the second verb shares the subject of the first."""
    tense = draw.choose(("present", "past"))
    first = plain(action(draw, tenses={tense: 1}))
    second = plain(action(draw, first.subject, tenses={tense: 1}))
    shared = first.tense == second.tense == tense and first.polarity == second.polarity == "yes"
    if not shared or first.verb is second.verb:
        return Sentence(first)
    return Sentence(first, "and", changed(second, subject=None, middle=None))


def another(draw: Draw, *samples: Callable[[Draw], Clause]) -> Clause:
    """A clause of its own: never about "they", "he" or "she", which would be taken for the subject before."""
    said = draw.choose(samples)(draw)
    while isinstance(said.subject, Pronoun) and said.subject.name in ("they", "he", "she"):
        said = draw.choose(samples)(draw)
    return plain(said)


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
