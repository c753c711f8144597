"""What drawing the test set anew does to a score, and whether the bootstrap of one test set foresees it (lesson 13).

The grammar can write as many test sets as one likes. Each seed is one: 200 sentences of each of three kinds,
translated by the course's translator with one beam and with four.
"""

import numpy as np

from lessons_lib.evidence import above, bootstrap, share
from lessons_lib.studies import Study
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.corpus import load_grammar_tests
from lessons_lib.translation.evaluation.bleu import bleu_of_sums, sums_by_sentence

QUESTION = "Does the bootstrap of one test set foresee what fresh test sets would show?"
LESSON = 13
BOUND = (
    "of 10 test sets with 3 kinds of sentences, more than 80 % of the intervals hold the mean of all ten, by "
    "Wilson's 95 % interval; a beam gains, or loses, if the whole 95 % interval of its mean gain over the 10 is above "
    "0, or below"
)
SEEDS = range(1, 11)  # seed 0 is the lesson's own test set
TESTS = ("in_distribution", "unseen_words", "long")
ENOUGH, SENTENCES = 0.8, 200


def run(seed: int) -> dict[str, float]:
    course, tests, found = load_course_translator("cpu"), load_grammar_tests(seed, SENTENCES), {}
    for name in TESTS:
        sources, references = [[pair[side] for pair in tests[name]] for side in (0, 1)]
        greedy, beam = (
            sums_by_sentence([one.text for one in course.translate(sources, beam=k, attention=False)], references)
            for k in (1, 4)
        )
        score = bootstrap(lambda cases: bleu_of_sums(greedy[cases].sum(0)), len(sources))  # noqa: B023
        gain = bootstrap(
            lambda cases: bleu_of_sums(beam[cases].sum(0)) - bleu_of_sums(greedy[cases].sum(0)),  # noqa: B023
            len(sources),
        )
        for what, interval in (("greedy", score), ("gain", gain)):
            found |= {
                f"{what}, {name}": interval.mean,
                f"{what}, {name}, low": interval.low,
                f"{what}, {name}, high": interval.high,
            }
    return found


def held(study: Study, what: str) -> tuple[int, int]:
    """How many of the intervals of ``what`` hold the mean of all test sets of their kind, and of how many."""
    hits = total = 0
    for name in TESTS:
        low, high = (np.array(study.results[f"{what}, {name}, {end}"]) for end in ("low", "high"))
        mean = study.estimate(f"{what}, {name}").mean
        hits, total = hits + int(((low <= mean) & (mean <= high)).sum()), total + len(low)
    return hits, total


def conclude(study: Study) -> dict[str, str]:
    said = {
        f"the bootstrap's interval of a {name} holds the mean of fresh test sets": above(
            share(*held(study, what)), ENOUGH
        )
        for what, name in (("greedy", "score"), ("gain", "difference"))
    }
    for name in TESTS:
        said[f"{name}: four beams have a higher BLEU than greedy search"] = above(study.estimate(f"gain, {name}"))
    return said
