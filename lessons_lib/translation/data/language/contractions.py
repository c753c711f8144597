"""English words whose form hangs on their neighbour: "cannot", "don't", "she's", "an"."""

from .words import Word, merge

NOT_CONTRACTED = {
    "do": "don't",
    "does": "doesn't",
    "did": "didn't",
    "is": "isn't",
    "are": "aren't",
    "was": "wasn't",
    "were": "weren't",
    "has": "hasn't",
    "have": "haven't",
    "will": "won't",
    "can": "can't",
    "could": "couldn't",
    "must": "mustn't",
}
SUBJECT_CONTRACTED = {"am": "'m", "is": "'s", "are": "'re", "will": "'ll"}


def article(text: str, next_word: str) -> str:
    """ "an" in place of "a" before a vowel sound: "an apple", "a useful book", "an honest man"."""
    if text != "a" or next_word.startswith(("useful", "university")):
        return text
    return "an" if next_word[0].lower() in "aeiou" or next_word == "honest" else "a"


def contract(words: list[Word], contracted: bool) -> list[Word]:
    """ "cannot" always; "don't" and "she's" if ``contracted``. From the right, so that "will not" is "won't"."""
    out: list[Word] = []
    for word in reversed(words):
        following = out[-1] if out else Word("", ())
        if following.text == "not" and contracted and word.text in NOT_CONTRACTED:
            out[-1] = merge(NOT_CONTRACTED[word.text], word, following)
        elif following.text == "not" and word.text == "can":
            out[-1] = merge("cannot", word, following)
        elif contracted and joins_subject(word, following):
            out[-1] = merge(word.text + SUBJECT_CONTRACTED[following.text], word, following)
        else:
            out.append(word)
    return out[::-1]


def joins_subject(word: Word, following: Word) -> bool:
    """Whether two words are a subject pronoun and what can stick to it: "she is", but not "who sees it is"."""
    if not word.keys[0].endswith("subject.pronoun") or (word.text, following.text) == ("there", "are"):
        return False
    return following.text in SUBJECT_CONTRACTED
