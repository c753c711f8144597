"""What the detectors ask of a sentence: its words, its numbers, its names, whether it is negated."""

import re
from collections import Counter
from collections.abc import Sequence

# Letters with the marks on them, and digits with what stands between them (3,5; 14:30; 1 000 with a narrow space).
_WORD = re.compile(r"\d+(?:[.,:\u00a0\u202f]\d+)*|[^\W\d_]+(?:[’'][^\W\d_]+)?(?:-[^\W\d_]+)*")
_ELIDED = re.compile(r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)[’'](?=\w)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…:]['’\"»”)\]]*\s*$|[«“\"—–]\s*$")

_UNITS = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize".split()
_TENS = {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "quatre-vingt": 80}
_MORE = {"dix-sept": 17, "dix-huit": 18, "dix-neuf": 19, "quatre-vingts": 80, "cent": 100, "cents": 100, "mille": 1000}


def words(text: str) -> list[str]:
    """The words without punctuation: "L’ami dort-il ?" has two, "L’ami" and "dort-il"."""
    return _WORD.findall(text)


def bare(word: str) -> str:
    """A French word without the elided one before it, an English one without 's: "d'Alice" and "Alice's" are Alice."""
    return re.sub(r"[’']s$", "", _ELIDED.sub("", word))


def _number_words() -> dict[str, int]:
    """The French numbers from 2 to 100 and 1000, as they are written. "un" is left out: it is an article too."""
    low = {word: value for value, word in enumerate(_UNITS)} | _MORE
    for tens, value in _TENS.items():
        low[tens] = value
        for unit in range(1, 20 if value in (60, 80) else 10):
            name = next(word for word, number in low.items() if number == unit)
            joined = f"{tens}-et-{name}" if unit in (1, 11) and value != 80 else f"{tens}-{name}"
            low[joined] = value + unit
    return {word: value for word, value in low.items() if word != "un" and word != "quatre-vingt"}


NUMBER_WORDS = _number_words()


def numbers(french: str) -> Counter[str]:
    """The numbers of a French text, in digits or as one word ("2" is "deux"), how often each."""
    found = Counter()
    for word in words(re.sub(r"\b(vingt|trente|quarante|cinquante|soixante) et (une?|onze)\b", r"\1-et-\2", french)):
        lower = re.sub(r"-une$", "-un", bare(word).lower())
        if word[0].isdigit():
            found[re.sub(r"[\u00a0\u202f]", "", word)] += 1
        elif lower in NUMBER_WORDS:
            found[str(NUMBER_WORDS[lower])] += 1
    return found


def is_negated(french: str) -> bool:
    """Whether the text holds "ne" or "n'", which written French does not negate without."""
    return any(word.lower() == "ne" or re.match(r"n[’']", word, re.IGNORECASE) for word in words(french))


def names(text: str, other: str = "") -> set[str]:
    """The words with a capital that is not that of a sentence's beginning.

    A word that begins a sentence counts only if ``other``, the same sentence in the other language, has it too.
    """
    elsewhere = {bare(word) for word in words(other)}
    found = set()
    for match in _WORD.finditer(text):
        name = bare(match[0])
        begins = not text[: match.start()].strip() or _SENTENCE_END.search(text[: match.start()])
        # "J'ai", "L'ami": the capital is the elided word's; "I" is a pronoun.
        if len(name) > 1 and name[0].isupper() and (not begins or name in elsewhere):
            found.add(name)
    return found


def repeats(sequence: Sequence[str], longest: int = 4) -> Counter[tuple[str, ...]]:
    """The runs of one to ``longest`` words that stand twice in a row, how often each."""
    found = Counter()
    for size in range(1, longest + 1):
        for start in range(len(sequence) - 2 * size + 1):
            run = tuple(sequence[start : start + size])
            if run == tuple(sequence[start + size : start + 2 * size]):
                found[run] += 1
    return found
