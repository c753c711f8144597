"""Translators that train in seconds: thin, on the corpus's sentences of at most five frequent words (lesson 6)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import nn

from lessons_lib.config import TransformerConfig
from lessons_lib.device import seed_everything
from lessons_lib.norms import LayerNorm
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import Batches, Examples, collate, encode_pairs
from lessons_lib.translation.data.corpus import Pair, load_grammar
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.training.loop import TrainingOptions, fit

MOST_WORDS, FREQUENT = 5, 200


@dataclass(frozen=True)
class Brief:
    """The brief sentences: pieces of text, and three parts: to train on, to choose a setting by, to judge it by."""

    pieces: Tokenizer
    pairs: list[Pair]
    train: Examples
    valid: Examples
    test: Examples


@cache
def brief() -> Brief:
    """Pairs with at most five English words, all among the 200 most frequent: three fifths of them to train on."""
    short = [pair for pair in load_grammar(seed=0, n_train=8_000, n_valid=10, n_test=300).train if _is_short(pair)]
    counts = Counter(word for pair in short for word in _words(pair))
    frequent = {word for word, _ in counts.most_common(FREQUENT)}
    kept = [pair for pair in short if set(_words(pair)) <= frequent]  # no source stands in it twice
    pairs = [pair for i, pair in enumerate(kept) if i % 5 > 1]
    pieces = Tokenizer.train((text for pair in pairs for text in (pair.source, pair.target)), vocab_size=700)
    parts = pairs, kept[0::5], kept[1::5]
    return Brief(pieces, pairs, *(encode_pairs(pieces, part, 256) for part in parts))


def _is_short(pair: Pair) -> bool:
    return len(_words(pair)) <= MOST_WORDS


def _words(pair: Pair) -> list[str]:
    return pair.source.lower().rstrip(".?!").split()


def thin(layers: int, place: str = "pre", make: Callable[[int], nn.Module] | None = None, seed: int = 0) -> Transformer:
    """An untrained translator: width 32, so many layers on each side, ``make(d_model)`` for each of its norms."""
    seed_everything(seed)
    sizes = {"d_model": 32, "d_ff": 64, "n_encoder_layers": layers, "n_decoder_layers": layers}
    model = Transformer(TransformerConfig(len(brief().pieces), dropout=0.0, norm=place, **sizes))
    for module in list(model.modules()):
        if make and isinstance(getattr(module, "norm", None), LayerNorm):
            module.norm = make(len(module.norm.gamma))
    return model


def quiet(model: Transformer) -> Transformer:
    """The same model, in which every sub-layer adds nothing at first: its last matrix and bias are zero."""
    for name, parameter in model.named_parameters():
        if name.endswith(("attention.output.weight", "contract.weight", "attention.output.bias", "contract.bias")):
            nn.init.zeros_(parameter)
    return model


def train(model: Transformer, steps: int = 140, warmup: int = 1, rate: float = 5e-3, seed: int = 0) -> list[float]:
    """Train on the brief sentences, whose order is the seed's; the loss of each step, nats a token.

    Gradients are not cut off where they are long: that could save a training that a norm should have saved.
    """
    options = TrainingOptions(steps=steps, learning_rate=rate, warmup_steps=warmup, label_smoothing=0.0, clip_norm=1e9)
    device = next(model.parameters()).device
    batches = Batches(brief().train, brief().pieces, token_budget=128, seed=seed, device=device)
    return [step.loss.item() for step in fit(model, batches.forever(), options)]


def final(losses: list[float]) -> float:
    """The mean over the last 30 steps."""
    return sum(losses[-30:]) / 30


@torch.no_grad()
def loss_of(model: Transformer, groups: list[list], training: bool = False) -> float:
    """Nats a token over these batches, each of them a list of examples; ``training``: in the mode of training."""
    was = model.training
    model.train(training)
    device = next(model.parameters()).device
    total = tokens = 0.0
    for group in groups:
        batch = collate(group, brief().pieces).to(device)
        logits = model(batch.src, batch.tgt_in).flatten(0, 1)
        answers = batch.tgt_out.flatten()
        total += F.cross_entropy(logits, answers, ignore_index=brief().pieces.pad_id, reduction="sum").item()
        tokens += batch.tokens
    model.train(was)
    return total / tokens
