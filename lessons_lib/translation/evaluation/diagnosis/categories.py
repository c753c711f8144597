"""The kinds of error, each with the rule that decides it. A rule sees one sentence; a sentence may have several kinds.

The rules compare with one reference. A free but right translation can trip them; they say where to look, not more.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lessons_lib.translation.evaluation.diagnosis.text import bare, is_negated, names, numbers, repeats, words

RARE_PIECES = 3
SHORT, LONG = 0.75, 1.33  # words of the translation to words of the reference


@dataclass(frozen=True)
class Example:
    """A sentence, what the model made of it, and what it should be. ``rare`` holds the reference's rare words."""

    source: str
    hypothesis: str
    reference: str
    rare: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Category:
    """A kind of error: its name, the rule in words, and the rule."""

    name: str
    rule: str
    applies: Callable[[Example], bool]


def too_short(example: Example) -> bool:
    """Under-translation: something was probably left out."""
    length, wanted = len(words(example.hypothesis)), len(words(example.reference))
    return length < SHORT * wanted and wanted - length >= 2


def too_long(example: Example) -> bool:
    """Over-translation: something was probably added."""
    length, wanted = len(words(example.hypothesis)), len(words(example.reference))
    return length > LONG * wanted and length - wanted >= 2


def wrong_number(example: Example) -> bool:
    """A number is missing, added or another."""
    return numbers(example.hypothesis) != numbers(example.reference)


def lost_name(example: Example) -> bool:
    """A name of the reference is missing."""
    present = {bare(word) for word in words(example.hypothesis)}
    return not names(example.reference, example.source) <= present


def wrong_negation(example: Example) -> bool:
    """Yes became no, or the other way round."""
    return is_negated(example.hypothesis) != is_negated(example.reference)


def lost_rare_word(example: Example) -> bool:
    """A rare word of the reference is missing."""
    present = {word.lower() for word in words(example.hypothesis)}
    return any(word.lower() not in present for word in example.rare)


def repetition(example: Example) -> bool:
    """The search went round in a circle."""
    hypothesis, reference = (
        repeats([w.lower() for w in words(text)]) for text in (example.hypothesis, example.reference)
    )
    return bool(hypothesis - reference)


def copied_source(example: Example) -> bool:
    """An English word was left standing."""
    source, hypothesis, reference = (
        {bare(w).lower() for w in words(text) if len(bare(w)) >= 3 and not w[0].isdigit()}
        for text in (example.source, example.hypothesis, example.reference)
    )
    return bool((source & hypothesis) - reference)


def word_order(example: Example) -> bool:
    """The right words in another order."""
    hypothesis, reference = ([w.lower() for w in words(text)] for text in (example.hypothesis, example.reference))
    return hypothesis != reference and sorted(hypothesis) == sorted(reference)


CATEGORIES = (
    Category(
        "too short", f"fewer than {SHORT:.0%} of the reference's words, and at least two fewer: left out", too_short
    ),
    Category("too long", f"more than {LONG:.0%} of the reference's words, and at least two more: added", too_long),
    Category(
        "number", "the numbers, in digits or as a French word other than “un”, are not the reference's", wrong_number
    ),
    Category("name", "a capitalised word of the reference, not just at a sentence's beginning, is missing", lost_name),
    Category("negation", "“ne” or “n'” is in the translation or in the reference, but not in both", wrong_negation),
    Category(
        "rare word",
        f"a word of the reference that the model's vocabulary splits into {RARE_PIECES} pieces or more is missing",
        lost_rare_word,
    ),
    Category("repetition", "one to four words stand twice in a row, and not so in the reference", repetition),
    Category(
        "copied word",
        "a source word of three letters or more stands in the translation, not in the reference",
        copied_source,
    ),
    Category("word order", "the reference's words, in another order", word_order),
)
OTHER = "other"
OTHER_RULE = "differs from the reference by none of these rules: often another word, or another form of it"


def tags(example: Example) -> list[str]:
    """The names of the kinds that apply; "other" if none does, and nothing if the translation is the reference."""
    if example.hypothesis.split() == example.reference.split():
        return []
    return [category.name for category in CATEGORIES if category.applies(example)] or [OTHER]
