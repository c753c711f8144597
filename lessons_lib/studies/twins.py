"""Twin translators, one trained with label smoothing and one without, from several seeds (lessons 12 and 13).

Shrunk, so that one training takes half a minute: 400 steps (the course's own translator had 6,000), and 200 of the 500
sentences of lesson 13's test sets, 60 with 16 beams.
"""

import math

import torch

from lessons_lib.evidence import above, within
from lessons_lib.studies import Study
from lessons_lib.studies._young_translators import CPU, material, translated, young_translator
from lessons_lib.translation.data.batching import Batches, collate, encode_pairs
from lessons_lib.translation.data.corpus import load_grammar_tests
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.training.loop import validation_loss

QUESTION = "What do label smoothing and wider beams do to a young translator, whichever seed trained it?"
LESSON = 12
BOUND = (
    "more than 0 for the whole 95 % interval of the mean difference over the seeds; as good: the whole interval "
    "between −1 and 1 BLEU; the mark of 15 BLEU, and half of the sentences wrong, each by the whole interval"
)
SEEDS = range(3)
SHARES = {"smoothed": 0.1, "sharp": 0.0}
TESTS = ("in_distribution", "unseen_words", "long")
WIDE, FEW = ("unseen_words", "long"), 60
MARK, HALF = 15.0, 0.5


def modesty(translator: Translator, sentences: int = 200) -> float:
    """How often the favourite token is right, less the mean probability that it gets, on the validation part."""
    corpus, tokenizer, _ = material()
    batch = collate(encode_pairs(tokenizer, corpus.valid[:sentences], 256), tokenizer)
    real = batch.tgt_out != tokenizer.pad_id
    with torch.no_grad():
        sure, favourite = translator.model.eval()(batch.src, batch.tgt_in)[real].softmax(-1).max(-1)
    return ((favourite == batch.tgt_out[real]).float().mean() - sure.mean()).item()


def run(seed: int) -> dict[str, float]:
    corpus, tokenizer, _ = material()
    valid = Batches(encode_pairs(tokenizer, corpus.valid, 256), tokenizer, 2_048, device=CPU)
    tests, found = load_grammar_tests(n_test=200), {}
    twins = {name: young_translator(seed, epsilon) for name, epsilon in SHARES.items()}
    for name, translator in twins.items():
        found[f"perplexity, {name}"] = math.exp(validation_loss(translator.model, valid.epoch(0)))
        found[f"right less sure, {name}"] = modesty(translator)
        for beam in (1, 4):
            found[f"BLEU, beam {beam}, {name}"] = translated(translator, tests["in_distribution"], beam)["BLEU"]
    for name in TESTS:
        for beam in (1, 4):
            measured = translated(twins["smoothed"], tests[name], beam)
            found |= {f"{what}, {name}, beam {beam}": measured[what] for what in ("BLEU", "log P", "equal")}
    for name in WIDE:
        for beam in (4, 16):
            found[f"BLEU, {FEW} of {name}, beam {beam}"] = translated(twins["smoothed"], tests[name][:FEW], beam)[
                "BLEU"
            ]
    return found


def of_smoothing(study: Study) -> dict[str, str]:
    def costs(what: str):
        return study.difference(f"{what}, smoothed", f"{what}, sharp")

    said = {
        "smoothing makes perplexity worse": above(costs("perplexity")),
        "the smoothed twin is right more often than it says, by more than the sharp one": above(
            costs("right less sure")
        ),
    }
    for beam in (1, 4):
        beams = f"{beam} beam{'s' * (beam > 1)}"
        said[f"smoothing raises BLEU, with {beams}"] = above(costs(f"BLEU, beam {beam}"))
        said[f"the twins are within one BLEU point of each other, with {beams}"] = within(
            costs(f"BLEU, beam {beam}"), 1
        )
    return said


def of_beams(study: Study) -> dict[str, str]:
    said = {}
    for name in TESTS:
        four, one = f"{name}, beam 4", f"{name}, beam 1"
        said[f"{name}: four beams find more probable translations than greedy search"] = above(
            study.difference(f"log P, {four}", f"log P, {one}")
        )
        said[f"{name}: four beams have a higher BLEU than greedy search"] = above(
            study.difference(f"BLEU, {four}", f"BLEU, {one}")
        )
    for name in WIDE:
        sixteen, four = (f"BLEU, {FEW} of {name}, beam {beam}" for beam in (16, 4))
        said[f"{name}: sixteen beams have a higher BLEU than four"] = above(study.difference(sixteen, four))
    return said


def of_the_mark(study: Study) -> dict[str, str]:
    right = study.estimate("equal, in_distribution, beam 1")
    return {
        f"BLEU is above {MARK:.0f}": above(study.estimate("BLEU, in_distribution, beam 1"), MARK),
        "half of the sentences, or more, are as the reference has them": above(right, HALF),
    }


def conclude(study: Study) -> dict[str, str]:
    return of_smoothing(study) | of_beams(study) | of_the_mark(study)
