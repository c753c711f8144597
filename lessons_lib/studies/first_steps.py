"""Lesson 12's translator after 300 steps, from several seeds: what BLEU has it, and how many sentences (lesson 13)?"""

from lessons_lib.evidence import above
from lessons_lib.studies import Study
from lessons_lib.studies._young_translators import translated, young_translator
from lessons_lib.translation.corpus import load_grammar_tests

QUESTION = "Has a translator a BLEU above 15 while most of its sentences are wrong, whichever seed trained it?"
LESSON = 13
BOUND = "BLEU above 15, and more than half of the sentences wrong, each by its whole 95 % interval, over 5 trainings"
SEEDS = range(5)
STEPS, MARK, HALF = 300, 15.0, 0.5


def run(seed: int) -> dict[str, float]:
    measured = translated(young_translator(seed, steps=STEPS), load_grammar_tests(n_test=200)["in_distribution"])
    return {"BLEU": measured["BLEU"], "wrong": 1 - measured["equal"]}


def conclude(study: Study) -> dict[str, str]:
    return {
        f"after {STEPS} steps BLEU is above {MARK:.0f}": above(study.estimate("BLEU"), MARK),
        f"after {STEPS} steps more than half of the sentences are wrong": above(study.estimate("wrong"), HALF),
    }
