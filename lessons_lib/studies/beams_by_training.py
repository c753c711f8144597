"""Beam search against greedy search, for one translator after another (lessons 12 and 13).

Shrunk, so that one training takes half a minute: 400 steps (the course's own translator had 6,000), and 200 of the 500
sentences of lesson 13's test sets.
"""

from lessons_lib.evidence import above
from lessons_lib.studies import Study
from lessons_lib.studies._young_translators import translated, young_translator
from lessons_lib.translation.corpus import load_grammar_tests

QUESTION = "Does a beam beat greedy search, whichever seed a young translator was trained with?"
LESSON = 12
BOUND = (
    "more, or less, than 0 for the whole 95 % interval of the mean difference over 6 trainings, on 200 sentences of "
    "each of lesson 13's test sets (100 with 16 beams)"
)
SEEDS = range(6)
TESTS = ("in_distribution", "unseen_words", "long")
WIDE = ("unseen_words", "long")


def run(seed: int) -> dict[str, float]:
    translator, tests, found = young_translator(seed), load_grammar_tests(n_test=200), {}
    for name in TESTS:
        for beam in (1, 4):
            measured = translated(translator, tests[name], beam)
            found |= {f"{what}, {name}, beam {beam}": value for what, value in measured.items() if what != "equal"}
    for name in WIDE:
        for beam in (1, 4, 16):
            found[f"BLEU, 100 of {name}, beam {beam}"] = translated(translator, tests[name][:100], beam)["BLEU"]
    return found


def conclude(study: Study) -> dict[str, str]:
    said = {}
    for name in TESTS:
        better = study.difference(f"BLEU, {name}, beam 4", f"BLEU, {name}, beam 1")
        surer = study.difference(f"log P, {name}, beam 4", f"log P, {name}, beam 1")
        said[f"{name}: four beams find more probable translations than greedy search"] = above(surer)
        said[f"{name}: four beams have a higher BLEU than greedy search"] = above(better)
    for name in WIDE:
        wider = study.difference(f"BLEU, 100 of {name}, beam 16", f"BLEU, 100 of {name}, beam 4")
        said[f"{name}: sixteen beams have a higher BLEU than four"] = above(wider)
    return said
