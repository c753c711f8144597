"""French words that change before the next one: elision, and the contractions of "à" and "de" with the article."""

from .conjugation import starts_with_vowel_sound
from .nouns import ASPIRATED as ASPIRATED_NOUNS
from .words import Word, merge, spell

ELIDED = frozenset({"le", "la", "de", "ne", "je", "me", "te", "que"})
ASPIRATED = ASPIRATED_NOUNS | {"huit", "onze"}
CONTRACTED = {("à", "le"): "au", ("à", "les"): "aux", ("de", "le"): "du", ("de", "les"): "des"}


def vowel_sound(word: str) -> bool:
    """Whether a word of the corpus elides what stands before it."""
    return starts_with_vowel_sound(word, ASPIRATED)


def elide(words: list[Word]) -> list[Word]:
    """ "le ami" -> "l'ami", "ne a" -> "n'a", "que il" -> "qu'il", "si il" -> "s'il"; "le héros" stays."""
    out: list[Word] = []
    for word in reversed(words):
        following = out[-1] if out else None
        if following is None:
            out.append(word)
        elif word.text in ELIDED and vowel_sound(following.text):
            out[-1] = merge(f"{word.text[:-1]}'{following.text}", word, following)
        elif word.text == "si" and following.text in ("il", "ils"):
            out[-1] = merge(f"s'{following.text}", word, following)
        else:
            out.append(word)
    return out[::-1]


def after_preposition(preposition: str, key: str, words: list[Word]) -> list[Word]:
    """A preposition and a noun phrase: "à le jardin" -> "au jardin", but "à le ami" stays, for "à l'ami"."""
    before = spell(preposition, key)
    article = words[0]
    contracted = CONTRACTED.get((before[-1].text, article.text))
    if contracted and (article.text == "les" or not vowel_sound(words[1].text)):
        return [*before[:-1], merge(contracted, before[-1], article), *words[1:]]
    return before + words
