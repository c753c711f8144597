"""Length and number of clauses, one without the other: which of them breaks the course's translator (lesson 13)?

Test set "long" differs from training in both. Here are all four: two or three clauses, in 12 to 14 words (a length that
training has) or in 18 to 20. Each seed draws 25 sentences for each of them, none of which training has.
"""

from collections.abc import Collection
from functools import cache

from lessons_lib.evidence import above
from lessons_lib.studies import Study
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.grammar import Selection, collect, has_shown_words, is_shown, load_splits
from lessons_lib.translation.data.language.sampling import LONG_WEIGHTS, WEIGHTS
from lessons_lib.translation.data.language.writing import SentencePair, fold
from lessons_lib.translation.evaluation.bleu import bleu

QUESTION = "Is it their length that breaks long sentences, or their number of clauses?"
LESSON = 13
BOUND = "more than 5 BLEU for the whole 95 % interval of the mean difference over 4 draws of 25 sentences a cell"
SEEDS = range(4)
WORDS = {"12 to 14 words": range(12, 15), "18 to 20 words": range(18, 21)}
CLAUSES = {"two clauses": (2, WEIGHTS), "three clauses": (3, LONG_WEIGHTS)}
POINTS, SENTENCES = 5.0, 25


@cache
def seen() -> frozenset[str]:
    """The English of the training part."""
    return frozenset(fold(pair.english) for pair in load_splits().train)


def sentences(clauses: str, words: str, seed: int, taken: Collection[str]) -> list[SentencePair]:
    """Fresh pairs of one of the four cells, of words and constructions that training has, none of them in ``taken``."""
    number, weights = CLAUSES[clauses]

    def means(said):
        return 1 + sum(part is not None for part in (said.second, said.third)) == number and is_shown(said)

    stream = f"{clauses}, {words} {seed}"
    return collect(SENTENCES, stream, Selection(weights, means, has_shown_words), set(taken), lengths=WORDS[words])


def run(seed: int) -> dict[str, float]:
    course, found = load_course_translator("cpu"), {}
    for words in WORDS:
        for clauses in CLAUSES:
            pairs = sentences(clauses, words, seed, seen())
            texts = [one.text for one in course.translate([pair.english for pair in pairs], attention=False)]
            found[f"{clauses}, {words}"] = bleu(texts, [pair.french for pair in pairs])
    return found


def conclude(study: Study) -> dict[str, str]:
    short, long = WORDS
    said = {
        f"a third clause costs more than {POINTS:.0f} BLEU at {words}": above(
            study.difference(f"two clauses, {words}", f"three clauses, {words}"), POINTS
        )
        for words in WORDS
    }
    for clauses in CLAUSES:
        said[f"six words more cost more than {POINTS:.0f} BLEU with {clauses}"] = above(
            study.difference(f"{clauses}, {short}", f"{clauses}, {long}"), POINTS
        )
    return said
