"""A meaning written in both languages: with a capital and a mark, or bare as one types into a box."""

from dataclasses import dataclass

from . import english, french
from .meaning import Sentence
from .words import Links, Word, align

NO_MARKS = str.maketrans("", "", ".,?")


@dataclass(frozen=True)
class SentencePair:
    """A sentence in both languages, and which words translate which: sorted (English index, French index).

    ``alignment`` holds the links to draw. ``possible`` holds those that are not sure: some of them, and others.
    """

    english: str
    french: str
    alignment: Links
    possible: Links


def write(sentence: Sentence) -> SentencePair:
    """Say a meaning in both languages."""
    source, target = english.sentence(sentence), french.sentence(sentence)
    if sentence.written:
        source[-1] = Word(source[-1].text, (*source[-1].keys, "end"))
        if sentence.main.question:
            source, target = with_mark(source, "?"), [*target, Word("?", ("end",))]
        else:
            source, target = with_mark(source, "."), with_mark(target, ".")
        source, target = with_capital(source), with_capital(target)
    else:
        source, target = without_commas(source), without_commas(target)
    return SentencePair(
        " ".join(word.text for word in source),
        " ".join(word.text for word in target),
        *align(source, target),
    )


def with_mark(words: list[Word], mark: str) -> list[Word]:
    """The words with a final mark that sticks to the last one."""
    return [*words[:-1], Word(words[-1].text + mark, words[-1].keys)]


def with_capital(words: list[Word]) -> list[Word]:
    """The words with a capital at the beginning."""
    text, keys = words[0]
    return [Word(text[0].upper() + text[1:], keys), *words[1:]]


def without_commas(words: list[Word]) -> list[Word]:
    """The words as one types them into a box."""
    return [Word(text.rstrip(","), keys) for text, keys in words]


def fold(text: str) -> str:
    """A sentence without case and punctuation: what makes two sentences the same."""
    return text.lower().translate(NO_MARKS).rstrip()
