"""The embedded corpus: English–French sentences with gold word alignments, from a hand-written grammar.

No download, no licence question, as many sentences as you like, and the same ones for the same seed. A meaning is
drawn at random (``language.sampling``) and said in both languages (``language.english``, ``language.french``).

Words are what ``text.split()`` gives. A mark that sticks to a word ("sleep.") belongs to its alignment; the French "?"
stands alone and is aligned with the last English word. Every word of both languages is aligned:

- "not" with both "ne" and "pas"; where "ne" sticks to its verb ("n'aime"), that word with both "not" and "like";
- an auxiliary ("do", "is", "will") with the finite French verb, and in a question also with "est-ce que";
- "to" of an infinitive with the infinitive, the second word of a verb ("look *for*") with the verb;
- an article that only one of the languages writes with the noun ("water": "de l'eau").

Where English leaves the French open, the corpus always takes the same way: "you" is "vous" in a sentence with a capital
and a mark and "tu" in a bare one; "it" and "they" are masculine unless they stand for a feminine noun of the sentence;
"I", "we" and "you" are men; the past is the passé composé, but the imparfait for a state ("knew", "was", "wanted").
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import filterfalse

from .language import english, french
from .language.combinations import is_new
from .language.meaning import Clause, Sentence, adjective, noun_phrase, place, verb
from .language.sampling import sample_sentence
from .language.small_words import PRONOUN
from .language.words import Word, align

NO_MARKS = str.maketrans("", "", ".,?")
LENGTHS = range(3, 15)  # English words in a sentence


@dataclass(frozen=True)
class SentencePair:
    """A sentence in both languages, and which words translate which: sorted (English index, French index)."""

    english: str
    french: str
    alignment: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Splits:
    """Training, validation and test pairs."""

    train: list[SentencePair]
    valid: list[SentencePair]
    test: list[SentencePair]


# The examples of the course: no split contains them.
SHOWCASE = (
    Sentence(Clause(noun_phrase("the small black cats"), verb("sleep"), polarity="not"), written=False),
    Sentence(Clause(noun_phrase("the hero"), verb("speak to"), polarity="never", object=noun_phrase("the queen"))),
    Sentence(
        Clause(
            noun_phrase("the old woman"),
            verb("give"),
            object=noun_phrase("a red apple"),
            recipient=PRONOUN["he"],
        )
    ),
    Sentence(
        Clause(
            PRONOUN["you polite"],
            verb("see"),
            tense="past",
            question="yes-no",
            object=noun_phrase("the beautiful tree"),
            places=(place("in front of", noun_phrase("the castle")),),
        )
    ),
    Sentence(
        Clause(noun_phrase("the mice"), verb("eat"), tense="past", polarity="not", object=noun_phrase("any cheese")),
        "because",
        Clause(PRONOUN["they feminine"], verb("be"), tense="past", complement=(adjective("tired"),)),
    ),
)


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
        align(source, target),
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


def generate(n_pairs: int, seed: int = 0) -> list[SentencePair]:
    """``n_pairs`` sentence pairs, no two with the same English words. To train, take ``load_splits``.

    Raises:
        ValueError: ``n_pairs`` is negative.
    """
    return collect(n_pairs, meanings(f"all {seed}"), set(), set())


def load_splits(n_train: int = 20_000, n_valid: int = 500, n_test: int = 500, seed: int = 0) -> Splits:
    """Training, validation and test pairs that share no English and no French sentence.

    Every validation and test sentence has a combination of words that training never sees: a noun with an adjective,
    or with a verb, that ``language.combinations.held_out`` keeps back. Each word alone is seen.

    Raises:
        ValueError: a size is negative.
    """
    showcase = [write(sentence) for sentence in SHOWCASE]
    used = {fold(pair.english) for pair in showcase}  # English sentences taken; grows with every split
    apart = {fold(pair.french) for pair in showcase}  # French sentences that the next split must not have
    test = collect(n_test, filter(is_new, meanings(f"test {seed}")), used, apart)
    apart |= {fold(pair.french) for pair in test}
    valid = collect(n_valid, filter(is_new, meanings(f"valid {seed}")), used, apart)
    apart |= {fold(pair.french) for pair in valid}
    train = collect(n_train, filterfalse(is_new, meanings(f"train {seed}")), used, apart)
    return Splits(train, valid, test)


def meanings(seed: str) -> Iterator[Sentence]:
    """Meanings without end, the same ones for the same seed."""
    rng = random.Random(seed)
    while True:
        yield sample_sentence(rng)


def collect(n_pairs: int, said: Iterator[Sentence], used: set[str], apart: set[str]) -> list[SentencePair]:
    """The first pairs of a fair length whose English is not in ``used`` (it is added) nor their French in ``apart``."""
    if n_pairs < 0:
        raise ValueError(f"n_pairs={n_pairs} is negative; use 0 or more")
    pairs: list[SentencePair] = []
    while len(pairs) < n_pairs:
        pair = write(next(said))
        folded = fold(pair.english)
        if len(pair.english.split()) in LENGTHS and folded not in used and fold(pair.french) not in apart:
            used.add(folded)
            pairs.append(pair)
    return pairs
