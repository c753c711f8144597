"""A training from beginning to end: a corpus and a recipe in, a model folder out, whatever happens in between."""

import contextlib
import itertools
import math
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

from lessons_lib.device import describe, memory_errors, pick_device, pick_precision, seed_everything
from lessons_lib.errors import UserError
from lessons_lib.files import replacing_whole
from lessons_lib.process import give_memory_back
from lessons_lib.timing import process_peak_megabytes
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import Batches, encode_pairs
from lessons_lib.translation.data.corpus import Corpus, Pair, evenly
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.evaluation.scoring import Scores, score
from lessons_lib.translation.search.model_folder import (
    CARD,
    CHECKPOINT,
    METRICS,
    check_free,
    save_model,
    write_json,
)
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.training.checkpoint import BEFORE, LATEST, read_checkpoint, write_checkpoint
from lessons_lib.translation.training.early_stopping import EarlyStopping
from lessons_lib.translation.training.in_use import in_use
from lessons_lib.translation.training.loop import Trainer, validation_loss
from lessons_lib.translation.training.monitor import Monitor, StopSignal, no_number
from lessons_lib.translation.training.recipe import Recipe
from lessons_lib.translation.training.team import Team

VALIDATION_PAIRS = 100  # at even distances; a validation must not eat the minutes
TEST_PAIRS = 1_000  # at even distances
MAY_CHANGE = ("minutes", "steps", "accumulate")  # of an unfinished training's options
CHECKPOINT_VALUES = {"identity", "trainer", "validated", "monitored", "stopping"}  # what is beside the tensors
STEPS_BETWEEN_TRIMS = 100
GO_ON = "free some space and run the same command: it goes on from the last checkpoint, if there is one"
TOKENIZER_PAIRS = 500_000  # more of them would change few pieces, and cost minutes and memory


def train_translator(
    corpus: Corpus, recipe: Recipe, out: str | Path, overwrite: bool = False, live: bool | None = None
) -> dict:
    """Train a translator on ``corpus`` and write it to the folder ``out``; return what its ``run.json`` says.

    The minutes are those of the training, validation included; learning the subwords and the final scoring come on top.
    What was cut off goes on where its last checkpoint stands when the same training is asked for again. Ctrl-C and
    SIGTERM write a checkpoint, and the model as it is, unscored.

    Args:
        overwrite: replace a model, or an unfinished training of another kind, that ``out`` holds; stderr says what is
            thrown away. An unfinished training of the same kind goes on.
        live: see `Monitor`: a bar, and in a notebook a plot; False for neither.
    Raises:
        ValueError: a size, an option or ``out`` is wrong, or another process trains there, and nothing has been
            written; or the loss is no number, or the memory too small, and the last checkpoint is there.
    """
    out = Path(out)
    check_free(out, overwrite)
    team = Team(pick_device(recipe.device))
    fix = (
        f" for batch_tokens={recipe.batch_tokens or 'by device'}; raise --accumulate, which changes no result, and run "
        "it again, or lower --batch-tokens and start anew"
    )
    new_folders = [folder for folder in (out, *out.absolute().parents) if not folder.exists()]
    with (
        in_use(out / CHECKPOINT) if team.is_main else contextlib.nullcontext(),
        _nothing_left_of_nothing(out, new_folders),
        memory_errors(fix),
    ):
        run = _Run(corpus, recipe, out, team, live, overwrite)
        with StopSignal() as stop:
            return run.train(stop)


def score_translator(
    translator: Translator,
    pairs: Sequence[Pair],
    beam: int = 1,
    tokenize: str | None = None,
    more: Sequence[Sequence[str]] = (),
) -> Scores:
    """BLEU and chrF of the translator's own translations; a source too long for it counts as translated by nothing.

    Args:
        tokenize, more: how BLEU splits words, and further references; see `score`.
    """
    texts, too_long = translator.translate_all([pair.source for pair in pairs], beam=beam)
    scores = score(texts, [pair.target for pair in pairs], tokenize, more)
    return replace(scores, too_long=len(too_long))


def tokenizer_texts(pairs: Sequence[Pair]) -> Iterator[str]:
    """Both sides of all pairs, or of `TOKENIZER_PAIRS` at even distances: what the subwords are learned from."""
    step = max(1, math.ceil(len(pairs) / TOKENIZER_PAIRS))
    for pair in itertools.islice(pairs, 0, None, step):
        yield pair.source
        yield pair.target


class _Run:
    """What one training holds together: model, data, trainer, and where its files go."""

    def __init__(
        self, corpus: Corpus, recipe: Recipe, out: Path, team: Team, live: bool | None, overwrite: bool = False
    ):
        self.corpus, self.recipe, self.out, self.team, self.live = corpus, recipe, out, team, live
        self.precision = pick_precision(team.device, recipe.precision)
        seed_everything(recipe.seed)
        self.fingerprint = corpus.fingerprint()
        self.tokenizer = Tokenizer.train(tokenizer_texts(corpus.train), recipe.config.vocab_size)
        self.model = Transformer(replace(recipe.config, vocab_size=len(self.tokenizer))).to(team.device)
        self.batch_tokens = recipe.batch_tokens or (512 if team.device.type == "cpu" else 8_192)
        found = self._found(overwrite)
        self.valid = evenly(corpus.valid, VALIDATION_PAIRS)
        self.batches = self._batches("training", corpus.train)
        self.valid_batches = self._batches("validation", self.valid)
        self.trainer = Trainer(self.model, recipe.training, self.precision, team)
        self.stopping = EarlyStopping(self.model, recipe.patience)
        self.validated, self.monitored = 0, {}
        if found is not None:
            self._resume(*found)

    def train(self, stop: StopSignal) -> dict:
        """Train to the end, or until told to stop; the card."""
        folder, saved = self.out / CHECKPOINT, time.monotonic()
        with contextlib.ExitStack() as open_files:
            monitor = None
            if self.team.is_main:
                folder.mkdir(parents=True, exist_ok=True)
                seen = (self.trainer.number, self.monitored)
                monitor = open_files.enter_context(Monitor(folder / METRICS, *seen, live=self.live))
            batches = self.batches.forever(self.trainer.number)
            for step in self.trainer.steps(batches, lambda: stop.received is not None or self.stopping.over):
                if step.number % STEPS_BETWEEN_TRIMS == 0:
                    give_memory_back()
                if monitor is None:
                    continue
                monitor.step(step)
                if self.validated < step.progress * (self.recipe.validations + 1) - 1:
                    self.validated += 1
                    self._validate(monitor)
                if time.monotonic() - saved > 60 * self.recipe.checkpoint_minutes:
                    self._checkpoint(monitor)
                    saved = time.monotonic()
            if monitor is None:
                self.team.wait()
                return {}
            monitor.check_loss()
            if stop.received:
                self._checkpoint(monitor)
        card = self._card(monitor, stop)
        if not stop.received and not self.stopping.apply():
            self.trainer.average.apply()
        with replacing_whole(self.out, "the model", GO_ON) as partial:
            save_model(partial, self.model, self.tokenizer)
            shutil.copy(folder / METRICS, partial / METRICS)
            write_json(partial / CARD, card)
        if not stop.received:
            stop.listen_no_more()
            part = "test" if self.corpus.test else "valid"
            pairs = evenly(getattr(self.corpus, part), TEST_PAIRS)
            more = [evenly(one, TEST_PAIRS) for one in self.corpus.references]
            translator = Translator(self.model, self.tokenizer)
            scores = score_translator(translator, pairs, tokenize=self.recipe.tokenize, more=more)
            card["scores"] = {"part": part, "beam": 1, **asdict(scores), "drawn_from": len(getattr(self.corpus, part))}
            write_json(self.out / CARD, card)
            shutil.rmtree(folder)
        self.team.wait()
        return card

    def _batches(self, name: str, pairs: Sequence[Pair]) -> Batches:
        max_length = self.recipe.config.max_length
        examples = encode_pairs(self.tokenizer, pairs, max_length)
        if not examples:
            raise UserError(f"no {name} pair fits max_length={max_length}; use a larger one")
        if self.team.is_main and (left_out := len(pairs) - len(examples)):
            line = (
                f"{left_out} of {len(pairs)} {name} pairs are longer than max_length={max_length} tokens and left out"
            )
            print(line, file=sys.stderr)
        return Batches(examples, self.tokenizer, self.batch_tokens, self.recipe.seed, self.team.device)

    def _validate(self, monitor: Monitor) -> None:
        loss = validation_loss(self.model, self.valid_batches.epoch(0))
        translator = Translator(self.model, self.tokenizer)
        scores = score_translator(translator, self.valid, tokenize=self.recipe.tokenize)
        monitor.validated(loss, scores.bleu, scores.chrf)
        self.stopping.after_validation(loss, scores.chrf)

    def _identity(self) -> dict:
        """What must be the same for a training to go on. Its length may change, its pieces, and the machine."""
        training = {k: v for k, v in asdict(self.recipe.training).items() if k not in MAY_CHANGE}
        rest = {"seed": self.recipe.seed, "batch_tokens": self.batch_tokens}
        return self.model.config.to_dict() | training | rest | {"data": self.fingerprint}

    def _checkpoint(self, monitor: Monitor) -> None:
        monitor.check_loss()
        tensors, trainer = self.trainer.state()
        if not all(weight.isfinite().all() for weight in self.model.parameters()):  # the next loss would say so
            raise UserError(
                no_number("a weight", "nan", self.trainer.number, (self.out / CHECKPOINT / LATEST).exists())
            )
        best = {f"best.{name}": x for name, x in self.stopping.weights.items()}
        values = {
            "identity": self._identity(),
            "trainer": trainer,
            "validated": self.validated,
            "monitored": monitor.totals(),
            "stopping": self.stopping.state(),
        }
        write_checkpoint(self.out / CHECKPOINT, tensors | best, values)

    def _found(self, overwrite: bool) -> tuple[dict, dict] | None:
        """The checkpoint from which this training goes on; None if there is none, or if it is thrown away.

        Raises:
            ValueError: it is another training's, or damaged, and nobody said to overwrite it.
        """
        try:
            found = read_checkpoint(self.out / CHECKPOINT)
            if found and not found[1].keys() >= CHECKPOINT_VALUES:
                raise UserError(f"{self.out / CHECKPOINT} is of another program; start anew with --overwrite")
        except ValueError as error:
            if not overwrite:
                raise
            return self._throw_away(str(error))
        if found is None:
            return None
        there, by_device = found[1]["identity"], self.batch_tokens
        if self.recipe.batch_tokens is None:  # another machine's batches are as good
            self.batch_tokens = there.get("batch_tokens", by_device)
        here = self._identity()
        if all(here[name] == there.get(name) for name in here):
            return found
        self.batch_tokens = by_device
        name = next(name for name in here if here[name] != there.get(name))
        what = f"an unfinished training with {name}={there.get(name)}, not {here[name]}"
        if overwrite:
            return self._throw_away(f"{self.out} held {what}, at step {found[1]['trainer']['number']}")
        raise UserError(
            f"{self.out} holds {what}; give another folder, the same settings to go on, or --overwrite to start anew"
        )

    def _throw_away(self, why: str) -> None:
        self.team.wait()  # every process has read it
        if self.team.is_main:
            print(f"lessons: thrown away: {why}", file=sys.stderr)
            for name in (LATEST, BEFORE, METRICS):
                (self.out / CHECKPOINT / name).unlink(missing_ok=True)
        self.team.wait()

    def _resume(self, tensors: dict, values: dict) -> None:
        best = {name: tensors.pop(name) for name in list(tensors) if name.startswith("best.")}
        kept = {name.removeprefix("best."): x.to(self.team.device) for name, x in best.items()}
        self.stopping.restore(values["stopping"], kept)
        self.trainer.restore(tensors, values["trainer"])
        self.validated, self.monitored = values["validated"], values["monitored"]
        if self.team.is_main:
            anew = f"to start anew, delete {self.out / CHECKPOINT}"
            print(f"{self.out}: going on after step {self.trainer.number} ({anew})", file=sys.stderr)

    def _card(self, monitor: Monitor, stop: StopSignal) -> dict:
        corpus = self.corpus
        return {
            "command": shlex.join(["lessons", *sys.argv[1:]]),
            "stopped_early": stop.received.name if stop.received else None,
            "steps": self.trainer.number,
            "minutes": round(self.trainer.seconds / 60, 3),
            "target_tokens": monitor.tokens,
            "tokens_per_second": round(monitor.tokens_per_second()),
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "averaged": self.trainer.average.taken,
            "seed": self.recipe.seed,
            "data": {
                "corpus": corpus.name,
                "origin": corpus.origin,
                "sha256": self.fingerprint,
                "train": len(corpus.train),
                "valid": len(corpus.valid),
                "test": len(corpus.test),
                "too_long": len(corpus.train) - len(self.batches.examples),
                "left_out": corpus.left_out,
                "seen_in_training": corpus.seen,
                "validated_by": {"pairs": len(self.valid), "drawn": "at even distances"},
                "batch_efficiency": round(self.batches.efficiency(), 4),
            },
            "training": asdict(self.recipe.training) | {"batch_tokens": self.batch_tokens},
            "hardware": describe(self.team.device),
            "processes": self.team.size,
            "peak_memory_mb": process_peak_megabytes(),
            "precision": str(self.precision).removeprefix("torch."),
            "versions": _versions(),
        }


@contextlib.contextmanager
def _nothing_left_of_nothing(out: Path, new_folders: Sequence[Path]) -> Iterator[None]:
    """After an error before the first checkpoint there is nothing to go on from, so nothing new stays."""
    try:
        yield
    except BaseException:
        if not any((out / CHECKPOINT / name).exists() for name in (LATEST, BEFORE)):
            shutil.rmtree(out / CHECKPOINT, ignore_errors=True)
            for folder in new_folders:
                with contextlib.suppress(OSError):  # somebody has put something there
                    folder.rmdir()
        raise


def _versions() -> dict[str, str]:
    packages = ("lessons_lib", "torch", "accelerate", "tokenizers", "sacrebleu", "safetensors", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
