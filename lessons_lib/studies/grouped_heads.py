"""Translators that differ in their heads of keys and values alone, each trained from its first step (lesson 11)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lessons_lib.config import TransformerConfig
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above, within
from lessons_lib.studies import Study
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import Batch, Batches, Examples, collate, encode_pairs
from lessons_lib.translation.data.corpus import Pair, load_grammar
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.evaluation.scoring import score
from lessons_lib.translation.search.decoding import greedy
from lessons_lib.translation.training.loop import Step, TrainingOptions, fit, validation_loss

QUESTION = "How much worse is a translator whose query heads share their keys and values, if it is trained so?"
LESSON = 11
BOUND = "no worse: the whole interval of the difference in BLEU lies within 2 of 0; over 8 seeds, one test set"
SEEDS = range(1, 9)

HEADS, GROUPS = 4, (4, 2, 1)
WORDS = 8  # of a source sentence, at most: short sentences are learned in seconds
STEPS, EARLY = 600, 50
MARGIN = 2.0  # BLEU


class Data(NamedTuple):
    """The same for every seed."""

    tokenizer: Tokenizer
    train: Examples
    valid: list[Batch]
    test: list[Pair]


def run(seed: int) -> dict[str, float]:
    """BLEU and validation loss (nats a token) of each number of groups; the same batches for all of them."""
    everything, measured = data(), {}
    asked = collate(encode_pairs(everything.tokenizer, everything.test, max_length=64), everything.tokenizer).src
    for groups in GROUPS:
        for step, model in training(groups, seed, everything):
            if step.number == EARLY:
                measured[f"loss at {EARLY} steps, G = {groups}"] = validation_loss(model, everything.valid)
        texts = [everything.tokenizer.decode(found.tokens) for found in greedy(model.eval(), asked)]
        measured[f"BLEU, G = {groups}"] = score(texts, [pair.target for pair in everything.test]).bleu
        measured[f"loss, G = {groups}"] = validation_loss(model, everything.valid)
    return measured


def data() -> Data:
    """Sentences of up to WORDS words: what trains, what is watched, what is translated in the end."""
    corpus = load_grammar(seed=0, n_train=10_000, n_valid=300, n_test=500)
    train, valid, test = (short(part) for part in (corpus.train, corpus.valid, corpus.test))
    tokenizer = Tokenizer.train((text for pair in train for text in pair[:2]), vocab_size=1_000)
    watched = Batches(encode_pairs(tokenizer, valid, max_length=64), tokenizer, token_budget=2048)
    return Data(tokenizer, encode_pairs(tokenizer, train, max_length=64), list(watched.epoch(0)), test)


def training(groups: int, seed: int, everything: Data) -> Iterator[tuple[Step, Transformer]]:
    """A training, step by step; who stops asking stops it."""
    seed_everything(seed)
    model = Transformer(shape(groups, len(everything.tokenizer)))
    batches = Batches(everything.train, everything.tokenizer, token_budget=512, seed=seed).forever()
    for step in fit(model, batches, TrainingOptions(steps=STEPS, learning_rate=8e-3, warmup_steps=100)):
        yield step, model


def conclude(study: Study) -> dict[str, str]:
    """Fewer heads of keys and values against as many as there are queries, and each step down in the loss."""
    return {
        "G = 2 is no worse than G = 4 in BLEU": within(study.difference("BLEU, G = 2", "BLEU, G = 4"), MARGIN),
        "G = 1 is no worse than G = 4 in BLEU": within(study.difference("BLEU, G = 1", "BLEU, G = 4"), MARGIN),
        "G = 2 has a higher loss than G = 4": above(study.difference("loss, G = 2", "loss, G = 4")),
        "G = 1 has a higher loss than G = 2": above(study.difference("loss, G = 1", "loss, G = 2")),
    }


def short(pairs: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in pairs if len(pair.source.split()) <= WORDS]


def shape(groups: int, vocab_size: int) -> TransformerConfig:
    return TransformerConfig(
        vocab_size,
        d_model=64,
        n_heads=HEADS,
        n_kv_heads=groups,
        n_encoder_layers=1,
        n_decoder_layers=1,
        d_ff=128,
        dropout=0.0,
        max_length=64,
    )
