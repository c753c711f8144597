"""The embedded corpus: English–French sentences with gold word alignments, from a hand-written grammar.

No download, no licence question, as many sentences as you like, and the same ones for the same seed. A meaning is
drawn at random (``language.sampling``) and said in both languages (``language.english``, ``language.french``).

Words are what ``text.split()`` gives. A mark that sticks to a word ("sleep.") belongs to its alignment; the French "?"
stands alone and is aligned with the last English word. Every word of both languages is aligned.

A link is *sure* or, where good annotators might differ, only *possible*, as in Och and Ney (2003): within idioms, and
for function words that a language lacks. An aligner must find the sure links and may find the others.
Sure are words of content, and function words that both languages have: articles, pronouns, prepositions, conjunctions,
"not" with "pas", an auxiliary with an auxiliary ("has slept": "a dormi"). Possible is, beside the sure links of the
words that it goes with, a function word that only one language has:

- "ne", with the English negation; "not" is surely "pas", "never" "jamais", "no longer" "plus", the "no" of "no milk"
  "pas";
- "est-ce que", with the auxiliary that English puts in front;
- an auxiliary, with the verb: "does sleep", "is sleeping", "will sleep" with "dort", "dormira"; "slept" with "a";
- "to" of an infinitive, with the infinitive; a preposition or particle of a verb, with the verb ("look *for*":
  "chercher", "answer": "répondre *à*"), with the pronoun ("*to* him": "lui"), with the time ("*on* Monday": "lundi");
- an article, with the noun ("water": "*de* l'eau", "*a* doctor": "médecin") or with what English has in its place ("the
  king*'s* horse": "*le* cheval du roi", "every day": "tous *les* jours"); "de" of "pas de", unless English has an
  article there too;

and a word of a fixed expression whose parts do not match one to one:

- what is not the head: "*in* front *of*" with "devant", "next to" with "*à* côté *de*", "many" with "beaucoup
  *de*", "because" with "parce *que*" (``language.fixed``), "past" with "heures" in the time of day;
- in "there is", all words with all of "il y a"; only "is" and "a" are sure.

Where two words are written as one, it has the links of both: in "n'aime", "not" is possible and "like" sure.

Where English leaves the French open, the corpus always takes the same way: "you" is "vous" in a sentence with a capital
and a mark and "tu" in a bare one; "it" and "they" are masculine unless they stand for a feminine noun of the sentence;
"I", "we" and "you" are men; no noun has a plural like its singular ("sheep"); the past is the passé composé, but
the imparfait for a state ("knew", "was", "wanted").
"""

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

from lessons_lib.errors import UserError

from .language.combinations import is_new, is_typical
from .language.meaning import Clause, Sentence, adjective, noun_phrase, place, verb
from .language.sampling import LONG_WEIGHTS, UNSEEN_WEIGHTS, WEIGHTS, sample_sentence
from .language.small_words import PRONOUN
from .language.unseen import has_unseen_construction, has_unseen_word
from .language.writing import SentencePair, fold, write

LENGTHS = range(3, 15)  # English words in a sentence
LONG = range(18, 31)  # in one of the test set "long"


@dataclass(frozen=True)
class Splits:
    """Training, validation and test pairs."""

    train: list[SentencePair]
    valid: list[SentencePair]
    test: list[SentencePair]


class Selection(NamedTuple):
    """What is drawn for a test set, how often each construction, and which sentences belong to it.

    ``means`` asks what is said; most draws fail there, before they are written. ``reads`` asks the words, too.
    """

    weights: dict[str, int]
    means: Callable[[Sentence], bool] = lambda said: True
    reads: Callable[[Sentence, SentencePair], bool] = lambda said, pair: True


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


def generate(n_pairs: int, seed: int = 0) -> list[SentencePair]:
    """``n_pairs`` sentence pairs of every kind but the long one, no two with the same English words.

    To train, take ``load_splits``.

    Raises:
        ValueError: ``n_pairs`` is negative.
    """
    return collect(n_pairs, f"all {seed}", Selection(WEIGHTS), set())


def load_splits(n_train: int = 20_000, n_valid: int = 500, n_test: int = 500, seed: int = 0) -> Splits:
    """Training, validation and test pairs that share no English and no French sentence.

    Every validation and test sentence has a combination of words that training never sees: a noun with an adjective,
    or with a verb, that ``language.combinations.held_out`` keeps back. Nothing else is kept back, and the test is as
    long and as involved as training (``language.combinations.is_typical``). A number or a rare form of a verb may be
    new by chance: training is a sample.

    Raises:
        ValueError: a size is negative.
    """
    shown = [write(sentence) for sentence in SHOWCASE]
    used = {fold(pair.english) for pair in shown}  # English sentences taken; grows with every split
    apart = {fold(pair.french) for pair in shown}  # French sentences that the next split must not have
    test = collect(n_test, f"test {seed}", TESTS["in_distribution"], used, apart)
    apart |= {fold(pair.french) for pair in test}
    valid = collect(n_valid, f"valid {seed}", TESTS["in_distribution"], used, apart)
    apart |= {fold(pair.french) for pair in valid}
    train = collect(n_train, f"train {seed}", FOR_TRAINING, used, apart)
    return Splits(train, valid, test)


def load_tests(n_pairs: int = 500, seed: int = 0) -> dict[str, list[SentencePair]]:
    """The four test sets, ``n_pairs`` pairs each. Training, of any size and seed, has no sentence of them.

    - ``in_distribution``: the test part of ``load_splits``; only combinations of words are new;
    - ``unseen_words``: names and numbers that training never shows, words that it shows in one form only;
    - ``unseen_constructions``: constructions that training shows apart, in one clause;
    - ``long``: three clauses, 18 to 30 English words, where training has two and 14 words at most.

    Of what is kept from training, the last three have nothing else: no held-out combination of words (a rare form may
    be new by chance, see `load_splits`). ``language.unseen`` says what they ask.

    Raises:
        ValueError: ``n_pairs`` is negative.
    """
    tests, used = {}, {fold(write(sentence).english) for sentence in SHOWCASE}
    for name, wanted in TESTS.items():
        stream = "test" if name == "in_distribution" else f"test {name}"
        apart = {fold(write(sentence).french) for sentence in SHOWCASE} if name == "in_distribution" else ()
        lengths = LONG if name == "long" else LENGTHS
        tests[name] = collect(n_pairs, f"{stream} {seed}", wanted, used, apart, lengths)
    return tests


def asks_unseen_word(pair: SentencePair) -> bool:
    """Whether a pair has a word, or a form of a word, that training never shows."""
    return has_unseen_word(fold(pair.english), fold(pair.french))


def is_shown(said: Sentence) -> bool:
    """Whether training may show such a meaning: no combination of words and no construction that a test keeps."""
    return not is_new(said) and not has_unseen_construction(said)


def has_shown_words(said: Sentence, pair: SentencePair) -> bool:
    """Whether no word of a pair, in this form, is kept from training."""
    return not asks_unseen_word(pair)


def is_new_combination(said: Sentence, pair: SentencePair) -> bool:
    """Whether a sentence is like those of training, but for a held-out combination of words."""
    return TESTS["in_distribution"].means(said) and TESTS["in_distribution"].reads(said, pair)


FOR_TRAINING = Selection(WEIGHTS, is_shown, has_shown_words)
TESTS = {
    "in_distribution": Selection(
        WEIGHTS,
        lambda said: is_new(said) and not has_unseen_construction(said),
        lambda said, pair: has_shown_words(said, pair) and is_typical(said, pair.english),
    ),
    "unseen_words": Selection(WEIGHTS, is_shown, lambda said, pair: asks_unseen_word(pair)),
    "unseen_constructions": Selection(
        UNSEEN_WEIGHTS, lambda said: has_unseen_construction(said) and not is_new(said), has_shown_words
    ),
    "long": FOR_TRAINING._replace(weights=LONG_WEIGHTS),
}


def collect(
    n_pairs: int,
    stream: str,
    wanted: Selection,
    used: set[str],
    apart: Collection[str] = (),
    lengths: range = LENGTHS,
) -> list[SentencePair]:
    """The first pairs of a stream of random meanings that are wanted and of a fair length.

    The same stream gives the same pairs. Their English is not in ``used`` (it is added) nor their French in ``apart``.
    """
    if n_pairs < 0:
        raise UserError(f"n_pairs={n_pairs} is negative; use 0 or more")
    rng = random.Random(stream)
    pairs: list[SentencePair] = []
    while len(pairs) < n_pairs:
        said = sample_sentence(rng, wanted.weights)
        if not wanted.means(said):
            continue
        pair = write(said)
        folded = fold(pair.english)
        if len(pair.english.split()) not in lengths or folded in used or fold(pair.french) in apart:
            continue
        if wanted.reads(said, pair):
            used.add(folded)
            pairs.append(pair)
    return pairs
