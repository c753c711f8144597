"""Twins with and without label smoothing, from several seeds (lesson 12).

A seed trains both, for 400 steps each, and is tested with 200 sentences of lesson 13's first test set.
"""

import math

import torch

from lessons_lib.evidence import above, within
from lessons_lib.studies import Study
from lessons_lib.studies._young_translators import CPU, material, translated, young_translator
from lessons_lib.translation.batching import Batches, collate, encode_pairs
from lessons_lib.translation.corpus import load_grammar_tests
from lessons_lib.translation.training import validation_loss
from lessons_lib.translation.translator import Translator

QUESTION = "Does label smoothing cost perplexity, and does it buy BLEU?"
LESSON = 12
BOUND = (
    "more than 0 for the whole 95 % interval of the mean difference over 5 pairs of twins; as good: the whole interval "
    "between −1 and 1 BLEU"
)
SEEDS = range(5)
SHARES = {"smoothed": 0.1, "sharp": 0.0}


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
    test, found = load_grammar_tests(n_test=200)["in_distribution"], {}
    for name, epsilon in SHARES.items():
        translator = young_translator(seed, epsilon)
        found[f"perplexity, {name}"] = math.exp(validation_loss(translator.model, valid.epoch(0)))
        found[f"right less sure, {name}"] = modesty(translator)
        for beam in (1, 4):
            found[f"BLEU, beam {beam}, {name}"] = translated(translator, test, beam)["BLEU"]
    return found


def conclude(study: Study) -> dict[str, str]:
    costs = study.difference("perplexity, smoothed", "perplexity, sharp")
    modest = study.difference("right less sure, smoothed", "right less sure, sharp")
    said = {
        "smoothing makes perplexity worse": above(costs),
        "the smoothed twin is right more often than it says, by more than the sharp one": above(modest),
    }
    for beam in (1, 4):
        gain = study.difference(f"BLEU, beam {beam}, smoothed", f"BLEU, beam {beam}, sharp")
        said[f"smoothing raises BLEU, with {beam} beam{'s' * (beam > 1)}"] = above(gain)
        said[f"the twins are within a BLEU point of each other, with {beam} beam{'s' * (beam > 1)}"] = within(gain, 1)
    return said
