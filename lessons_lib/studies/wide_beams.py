"""Wider and wider beams of the course's translator, on one fresh test set after another (lesson 12)."""

from itertools import product

from lessons_lib.evidence import above
from lessons_lib.studies import Study
from lessons_lib.studies._young_translators import translated
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.corpus import load_grammar_tests

QUESTION = "Is a wider beam a better beam?"
LESSON = 12
BOUND = (
    "more than 0 for the whole 95 % interval of the mean difference over 4 freshly drawn test sets of 100 sentences; "
    "the translator is the same in all"
)
SEEDS = range(1, 5)  # seed 0 is the lesson's own test set
BEAMS = (1, 2, 4, 8, 16)
TRIALS = {"long": (0.0, 0.6, 1.0), "unseen_words": (1.0,)}  # values of the length penalty


def run(seed: int) -> dict[str, float]:
    course, tests, found = load_course_translator("cpu"), load_grammar_tests(seed, n_test=100), {}
    for name, alphas in TRIALS.items():
        for alpha, beam in product(alphas, BEAMS):
            if beam == 1 and alpha != 1.0:
                continue  # greedy search does not look at the length penalty
            measured = translated(course, tests[name], beam, alpha)
            found |= {f"{what}, {name}, α {alpha}, beam {beam}": measured[what] for what in ("BLEU", "log P", "words")}
    return found


def conclude(study: Study) -> dict[str, str]:
    said = {}
    for name, alphas in TRIALS.items():
        for alpha in alphas:
            greedy = f"BLEU, {name}, α 1.0, beam 1"
            four, sixteen = (f"BLEU, {name}, α {alpha}, beam {beam}" for beam in (4, 16))
            said[f"{name}, α {alpha}: 16 beams have a lower BLEU than greedy search"] = above(
                study.difference(greedy, sixteen)
            )
            said[f"{name}, α {alpha}: 16 beams have a higher BLEU than 4"] = above(study.difference(sixteen, four))
    said["long, 16 beams: α = 1 has a higher BLEU than α = 0"] = above(
        study.difference("BLEU, long, α 1.0, beam 16", "BLEU, long, α 0.0, beam 16")
    )
    return said
