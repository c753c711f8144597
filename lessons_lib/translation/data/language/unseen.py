"""What training never sees beyond pairs of words: some words, some forms of words, some constructions.

The test "unseen_words" asks for what a translator of subwords can be asked:

- to copy: a name (``names.UNSEEN_NAMES``) or a number in digits ("in 1987", "47 books") that training never shows;
- to compose: a number in words ("forty-seven") whose parts it shows;
- to inflect: the plural of a noun shown only in the singular, the feminine of an adjective shown only in the
  masculine, the past and future of a verb shown only in the present and the infinitive.

The test "unseen_constructions" combines what training shows apart.
"""

import re
import zlib
from collections.abc import Iterator
from itertools import product

from . import adjectives, nouns, numbers, verbs
from .conjugation import futur, imparfait, participle, present
from .meaning import Clause, NounPhrase, Sentence
from .small_words import Pronoun

SINGULAR_ONLY = frozenset(
    {"basket", "candle", "carrot", "driver", "duck", "fountain", "frog", "hammer", "ladder", "pencil", "plate", "poet"}
    | {"towel", "truck"}
)
MASCULINE_ONLY = frozenset({"grey", "heavy", "interesting", "polite"})
PRESENT_ONLY = frozenset({"borrow", "fill", "jump", "order", "push", "repair", "thank", "touch"})
ONE_NUMBER_IN, REMAINDER = 6, 1
ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")


def unseen_number(number: int) -> bool:
    """Whether training never shows a number: one in six from 21 on, but the round ones."""
    return number > 20 and number % 10 != 0 and zlib.crc32(str(number).encode()) % ONE_NUMBER_IN == REMAINDER


def _reserved_english() -> Iterator[str]:
    yield from (noun.english for noun in nouns.UNSEEN)
    yield from (noun.english_plural for noun in nouns.LEXICON if noun.english in SINGULAR_ONLY)
    yield from (verb.past for verb in verbs.LEXICON if verb.english in PRESENT_ONLY)
    for number in filter(unseen_number, range(2100)):
        yield from ([numbers.english(number)] if number < 100 else [])
        yield str(number)


def _reserved_french() -> Iterator[str]:
    yield from (noun.french_plural for noun in nouns.LEXICON if noun.english in SINGULAR_ONLY)
    for adjective in adjectives.LEXICON:
        if adjective.english in MASCULINE_ONLY:
            yield from (adjective.french(True, plural) for plural in (False, True))
    for verb in verbs.LEXICON:
        if verb.english in PRESENT_ONLY:
            past = {participle(verb.french, *agreeing) for agreeing in product((False, True), repeat=2)}
            forms = past.union(imparfait(verb.french), futur(verb.french))
            yield from sorted(forms - {*present(verb.french)})


RESERVED_ENGLISH = frozenset(word.lower() for word in _reserved_english())
RESERVED_FRENCH = frozenset(_reserved_french())


def has_unseen_word(english: str, french: str) -> bool:
    """Whether a folded sentence pair (lower case, no marks) has a word or a form that training never shows."""
    source = [ORDINAL.sub(r"\1", w) if w[0].isdigit() else w.partition("'")[0] for w in english.split()]
    return not RESERVED_ENGLISH.isdisjoint(source) or not RESERVED_FRENCH.isdisjoint(french.replace("'", " ").split())


def has_unseen_construction(sentence: Sentence) -> bool:
    """Whether a clause combines what training only shows apart.

    - a question, a negation and an object pronoun: "doesn't she see him";
    - two object pronouns and a negation: "he does not give it to her";
    - an infinitive, a negation and an object pronoun: "she cannot see him";
    - a question about a subject with a relative clause: "is the man who is singing tired".
    """
    return any(_is_unseen(clause) for clause in clauses(sentence))


def clauses(sentence: Sentence) -> Iterator[Clause]:
    """Every clause of a sentence, those inside another one too."""
    for clause in (sentence.main, sentence.second, sentence.third):
        while clause:
            yield clause
            for part in (clause.subject, clause.object):
                if isinstance(part, NounPhrase) and part.relative:
                    yield part.relative
            clause = clause.that


def _is_unseen(clause: Clause) -> bool:
    pronouns = sum(isinstance(part, Pronoun) for part in (clause.object, clause.recipient))
    if clause.polarity != "yes" and pronouns:
        infinitive = clause.modal is not None or clause.tense == "going to"
        return bool(clause.question) or pronouns == 2 or infinitive
    return bool(clause.question and isinstance(clause.subject, NounPhrase) and clause.subject.relative)
