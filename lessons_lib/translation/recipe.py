"""The whole recipe: a corpus in, a model folder out."""

import platform
import shlex
import sys
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path

import torch

from lessons_lib.device import describe, pick_device, pick_precision, seed_everything
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.batching import Batches, encode_pairs
from lessons_lib.translation.corpus import Corpus, Pair
from lessons_lib.translation.model_folder import CARD, METRICS, appearing_whole, check_free, save_model, write_json
from lessons_lib.translation.monitor import Monitor, StopSignal
from lessons_lib.translation.presets import PRESETS
from lessons_lib.translation.scoring import Scores, score
from lessons_lib.translation.tokenizer import Tokenizer
from lessons_lib.translation.training import TrainingOptions, fit, validation_loss
from lessons_lib.translation.translator import Translator

VALIDATION_PAIRS = 100  # a validation must not eat the minutes
TEST_PAIRS = 1_000


@dataclass(frozen=True)
class Recipe:
    """What to build and how to train it.

    The vocabulary comes out smaller than ``config.vocab_size`` where the text has no more pairs to merge.

    Raises:
        ValueError: ``batch_tokens`` or ``seed`` is out of its range.
    """

    config: TransformerConfig
    training: TrainingOptions
    batch_tokens: int | None = None  # None: by device
    validations: int = 3
    seed: int = 0
    device: str | None = None
    precision: str | None = None

    def __post_init__(self):
        if self.batch_tokens is not None and self.batch_tokens < 1:
            raise ValueError(f"batch_tokens={self.batch_tokens} is not positive; 1000 or more is usual")
        if self.seed < 0:
            raise ValueError(f"seed={self.seed} is negative; use 0 or more")


def recipe_for(corpus: str, **changes) -> Recipe:
    """The recipe that fits ``corpus`` ("grammar" or "pairs"), with ``changes`` to any field of its three parts.

    For example ``recipe_for("grammar", minutes=1, d_model=64)``.

    Raises:
        ValueError: a value is out of its range.
        TypeError: there is no such field.
    """
    values = PRESETS[corpus] | changes

    def take(kind: type) -> dict:
        return {f.name: values.pop(f.name) for f in fields(kind) if f.name in values}

    return Recipe(TransformerConfig(**take(TransformerConfig)), TrainingOptions(**take(TrainingOptions)), **values)


def train_translator(corpus: Corpus, recipe: Recipe, out: str | Path, overwrite: bool = False) -> dict:
    """Train a translator on ``corpus`` and write it to the folder ``out``; return what its ``run.json`` says.

    The minutes are those of the training, validation included; learning the subwords and the final scoring come on top.
    Ctrl-C or SIGTERM ends the training early and the model is written as it is, unscored.

    Raises:
        ValueError: a size, an option or ``out`` is wrong; nothing has been written then.
    """
    check_free(Path(out), overwrite)
    device = pick_device(recipe.device)
    precision = pick_precision(device, recipe.precision)
    seed_everything(recipe.seed)
    tokenizer = Tokenizer.train(_texts(corpus.train), recipe.config.vocab_size)
    model = Transformer(replace(recipe.config, vocab_size=len(tokenizer))).to(device)
    batches, valid_batches = _batches(corpus, tokenizer, recipe, device)
    with StopSignal() as stop, appearing_whole(Path(out)) as folder:
        with Monitor(folder / METRICS) as monitor:
            validated = 0
            for step in fit(model, batches.forever(), recipe.training, precision):
                monitor.step(step)
                if stop.received:
                    break
                if validated < step.progress * (recipe.validations + 1) - 1:
                    validated += 1
                    monitor.validated(*_validate(model, tokenizer, valid_batches, corpus.valid))
        save_model(folder, model, tokenizer)
        card = {
            "command": shlex.join(["lessons", *sys.argv[1:]]),
            "stopped_early": stop.received.name if stop.received else None,
            "steps": monitor.steps,
            "minutes": round(monitor.seconds / 60, 3),
            "target_tokens": monitor.tokens,
            "tokens_per_second": round(monitor.tokens_per_second()),
            "parameters": sum(p.numel() for p in model.parameters()),
            "seed": recipe.seed,
            "data": {
                "corpus": corpus.name,
                "sha256": corpus.fingerprint(),
                "train": len(corpus.train),
                "valid": len(corpus.valid),
                "test": len(corpus.test),
                "too_long": len(corpus.train) - len(batches.examples),
                "batch_efficiency": round(batches.efficiency(), 4),
            },
            "training": asdict(recipe.training) | {"batch_tokens": batches.token_budget},
            "hardware": describe(device),
            "precision": str(precision).removeprefix("torch."),
            "versions": _versions(),
        }
        write_json(folder / CARD, card)
    if not stop.received:
        part = "test" if corpus.test else "valid"
        scores = score_translator(Translator(model, tokenizer), getattr(corpus, part)[:TEST_PAIRS])
        card["scores"] = {"part": part, "beam": 1, **asdict(scores)}
        write_json(Path(out) / CARD, card)
    return card


def score_translator(translator: Translator, pairs: list[Pair], beam: int = 1) -> Scores:
    """BLEU and chrF of the translator's own translations of ``pairs``."""
    translations = translator.translate([pair.source for pair in pairs], beam=beam, attention=False)
    return score([translation.text for translation in translations], [pair.target for pair in pairs])


def _texts(pairs: list[Pair]) -> list[str]:
    return [text for pair in pairs for text in (pair.source, pair.target)]


def _batches(corpus: Corpus, tokenizer: Tokenizer, recipe: Recipe, device: torch.device) -> tuple[Batches, Batches]:
    """The training batches, and those of the first validation pairs."""
    max_length = recipe.config.max_length
    budget = recipe.batch_tokens or (512 if device.type == "cpu" else 8_192)
    parts = []
    for name, pairs in (("training", corpus.train), ("validation", corpus.valid[:VALIDATION_PAIRS])):
        examples = encode_pairs(tokenizer, pairs, max_length)
        if not examples:
            raise ValueError(f"no {name} pair fits max_length={max_length}; use a larger one")
        parts.append(Batches(examples, tokenizer, budget, recipe.seed, device))
    return parts[0], parts[1]


def _validate(model: Transformer, tokenizer: Tokenizer, batches: Batches, pairs: list[Pair]) -> tuple[float, float]:
    loss = validation_loss(model, batches.epoch(0))
    return loss, score_translator(Translator(model, tokenizer), pairs[:VALIDATION_PAIRS]).bleu


def _versions() -> dict[str, str]:
    packages = ("lessons_lib", "torch", "tokenizers", "sacrebleu", "safetensors", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
