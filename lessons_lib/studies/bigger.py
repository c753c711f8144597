"""Translators of three widths, read at equal steps and at equal compute (lesson 10)."""

from collections.abc import Sequence

import numpy as np

from lessons_lib import sizes
from lessons_lib.config import TransformerConfig
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above
from lessons_lib.studies import Study
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import Batch, Batches, Examples, encode_pairs
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.training.loop import TrainingOptions, fit, validation_loss

QUESTION = "Is the larger of two translators better, for the same steps and for the same FLOPs?"
LESSON = 10
BOUND = "better: the validation loss is lower by more than 0.1 nats a token, the whole interval, over 5 seeds"
SEEDS = range(1, 6)

WIDTHS = (32, 64, 128)
STEPS = 200  # of the largest; the others go on until they have spent the same
RATES = {
    32: 1.2e-2,
    64: 8e-3,
    128: 4.5e-3,
}  # the best of three, with seed 0, which SEEDS leave out
SHARES = {"a quarter of the FLOPs": 0.25, "half the FLOPs": 0.5, "all the FLOPs": 1.0}
MARGIN = 0.1  # nats a token


def run(seed: int) -> dict[str, float]:
    """Validation loss (nats a token) of each width at equal steps, and at each share of the FLOPs."""
    return measured(train_all(seed, *data()))


def measured(curves: dict[int, np.ndarray]) -> dict[str, float]:
    """What `run` gives, of the curves of `train_all`."""
    budget = curves[128][-1, 1]
    found = {f"{width} wide, {STEPS} steps": at(curves[width], 0, STEPS) for width in WIDTHS}
    for name, share in SHARES.items():
        found |= {f"{width} wide, {name}": at(curves[width], 1, share * budget) for width in WIDTHS}
    return found


def conclude(study: Study) -> dict[str, str]:
    """Two neighbours at each of the four places, each asked whether it is the better one."""
    return {
        f"{better} wide is better than {worse}, {place}": above(
            study.difference(f"{worse} wide, {place}", f"{better} wide, {place}"), MARGIN
        )
        for place in (f"{STEPS} steps", *SHARES)
        for better, worse in ((64, 32), (32, 64), (128, 64), (64, 128))
    }


def data() -> tuple[Tokenizer, Examples, list[Batch]]:
    """The tokenizer, what is trained on, and what is validated on: the same for every seed."""
    corpus = load_grammar(seed=0, n_train=10_000, n_valid=200, n_test=0)
    tokenizer = Tokenizer.train((text for pair in corpus.train for text in pair[:2]), vocab_size=1_000)
    examples = encode_pairs(tokenizer, corpus.train, max_length=64)
    valid = Batches(encode_pairs(tokenizer, corpus.valid, 64), tokenizer, token_budget=2048)
    return tokenizer, examples, list(valid.epoch(0))


def shape(width: int, vocab_size: int) -> TransformerConfig:
    """One layer of encoder and one of decoder, the feed-forward network in proportion to the width."""
    return TransformerConfig(
        vocab_size,
        d_model=width,
        n_heads=4,
        n_encoder_layers=1,
        n_decoder_layers=1,
        d_ff=2 * width,
        dropout=0.0,
        max_length=64,
    )


def train_all(seed: int, tokenizer: Tokenizer, examples: Examples, valid: Sequence[Batch]) -> dict[int, np.ndarray]:
    """The curve of each width; all of them spend what the largest spends in its steps."""
    curves = {128: train(128, seed, 0, tokenizer, examples, valid)}
    budget = curves[128][-1, 1]
    return curves | {width: train(width, seed, budget, tokenizer, examples, valid) for width in (64, 32)}


def train(
    width: int, seed: int, enough: float, tokenizer: Tokenizer, examples: Examples, valid: Sequence[Batch]
) -> np.ndarray:
    """Rows of (steps, FLOPs, validation loss), until STEPS steps are made and ``enough`` FLOPs are spent."""
    config, spent, seen, curve = shape(width, len(tokenizer)), 0, [], []
    seed_everything(seed)
    network = Transformer(config)

    def watched():
        for batch in Batches(examples, tokenizer, token_budget=512, seed=seed).forever():
            seen.append(batch)
            yield batch

    options = TrainingOptions(steps=10**6, learning_rate=RATES[width], warmup_steps=50, label_smoothing=0.0)
    for step in fit(network, watched(), options):
        spent += sizes.training_flops(config, len(seen[-1].src), seen[-1].src.shape[1], seen[-1].tgt_in.shape[1])
        done = step.number >= STEPS and spent >= enough
        if step.number in (10, 25, 50, 75, 150) or step.number % 100 == 0 or done:
            curve.append((step.number, spent, validation_loss(network, valid)))
        if done:
            break
    return np.array(curve)


def at(curve: np.ndarray, column: int, value: float) -> float:
    """The loss where ``column`` (0: steps, 1: FLOPs) has reached ``value``; straight lines between measurements."""
    return float(np.interp(value, curve[:, column], curve[:, 2]))
