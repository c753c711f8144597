"""Training: show the model a batch, ask how wrong it is, move every weight a little; until the time is over."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons_lib.device import autocast
from lessons_lib.masks import padding_mask
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import Batch
from lessons_lib.translation.training.averaging import WeightAverage
from lessons_lib.translation.training.losses import fused_cross_entropy
from lessons_lib.translation.training.options import TrainingOptions, schedule
from lessons_lib.translation.training.team import Team


@dataclass(frozen=True)
class Step:
    """What happened in one training step. ``progress`` runs from 0 to 1, ``seconds`` from the start."""

    number: int
    progress: float
    seconds: float
    loss: Float[Tensor, ""]
    gradient_norm: Float[Tensor, ""]
    learning_rate: float
    tokens: int  # target tokens in the batch


def fit(
    model: Transformer,
    batches: Iterable[Batch],
    options: TrainingOptions,
    precision: torch.dtype = torch.float32,
) -> Iterator[Step]:
    """Train ``model`` in place, one batch for each `Step` that is yielded. Who stops asking stops the training.

    Args:
        batches: at least as many as the budget needs; see `Batches.forever`.
        precision: of the matrix products; fp16 gets loss scaling, because its gradients underflow without.
    """
    return Trainer(model, options, precision).steps(batches)


class Trainer:
    """A training that can be cut off and taken up again, alone or in a `Team`: the numbers that come out are the same.

    A batch is one update, however many processes share it and in however many pieces (``options.accumulate``) each
    takes its part: every piece counts by its tokens. Dropout's noise depends on the seed, the step and the process.

    Args:
        model: on the team's device.
        precision: of the matrix products; fp16 gets loss scaling, because its gradients underflow without.
    """

    def __init__(
        self,
        model: Transformer,
        options: TrainingOptions,
        precision: torch.dtype = torch.float32,
        team: Team | None = None,
    ):
        self.device = model.embedding.weight.device
        self.model, self.options, self.precision = model, options, precision
        self.team = team or Team(self.device)
        self.loss = self.team.wrap(_Loss(model, options.label_smoothing))
        self.optimizer = torch.optim.AdamW(
            model.parameters(), betas=(0.9, 0.98), eps=1e-9, weight_decay=options.weight_decay, fused=True
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == torch.float16)
        self.average = WeightAverage(model, options.average)
        self.number, self.seconds, self.seed = 0, 0.0, torch.initial_seed()

    def steps(self, batches: Iterable[Batch], stop: Callable[[], bool] = lambda: False) -> Iterator[Step]:
        """Train on, one batch a step, to the end of the budget, or until the main process's ``stop`` says so.

        Args:
            batches: those after the first ``self.number``, which this training has had; see `Batches.forever`.
        """
        started = None
        for batch in batches:
            started = started or time.monotonic() - self.seconds  # the minutes count from the first batch
            progress, stopped = self.team.agree(self._progress(started), float(stop()))
            if progress >= 1 or stopped:
                return
            learning_rate = self.options.learning_rate * schedule(self.number, progress, self.options.warmup_steps)
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate
            loss, gradient_norm = self._update(batch)
            self.number += 1
            self.seconds = time.monotonic() - started
            (progress,) = self.team.agree(self._progress(started))
            self.average.after_step(progress)
            yield Step(self.number, progress, self.seconds, loss, gradient_norm, learning_rate, batch.tokens)

    def _update(self, batch: Batch) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """One step of the optimizer; the loss of the whole batch, and the norm of its gradient."""
        self.model.train()
        torch.manual_seed(self.seed + 1 + self.number * self.team.size + self.team.rank)
        pieces = self.options.accumulate
        total = torch.zeros((), device=self.device)
        for piece in range(pieces):
            first = self.team.rank * pieces + piece
            part, share = batch.part(first, self.team.size * pieces, self.model.config.pad_id)
            # A team sends its gradients around once, with the last piece, and takes their mean.
            alone = self.team.size == 1 or piece == pieces - 1
            with contextlib.nullcontext() if alone else self.loss.no_sync():
                with autocast(self.device, self.precision):
                    loss = self.loss(part) * share * self.team.size
                self.scaler.scale(loss).backward()
            total += loss.detach()
        self.scaler.unscale_(self.optimizer)
        gradient_norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return self.team.mean(total), gradient_norm

    def _progress(self, started: float) -> float:
        if self.options.steps is not None:
            return self.number / self.options.steps
        return (time.monotonic() - started) / (60 * self.options.minutes)

    def state(self) -> tuple[dict[str, Tensor], dict]:
        """All that `restore` needs: tensors by name, and what JSON can hold."""
        adam = {
            f"adam.{i}.{name}": x for i, one in self.optimizer.state_dict()["state"].items() for name, x in one.items()
        }
        weights = {f"model.{name}": x for name, x in self.model.state_dict().items()}
        means = {f"mean.{name}": x for name, x in self.average.mean.items()}
        values = {
            "number": self.number,
            "seconds": self.seconds,
            "seed": self.seed,
            "averaged": self.average.taken,
            "scaler": self.scaler.state_dict(),
        }
        return weights | adam | means, values

    def restore(self, tensors: dict[str, Tensor], values: dict) -> None:
        """Go back to a `state`.

        Raises:
            RuntimeError: it belongs to another model.
        """
        named = defaultdict(dict)
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            named[kind][rest] = tensor.to(self.device)
        self.model.load_state_dict(named["model"])
        adam = defaultdict(dict)
        for name, tensor in named["adam"].items():
            index, _, rest = name.partition(".")
            adam[int(index)][rest] = tensor
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": dict(adam)})
        self.average.mean, self.average.taken = dict(named["mean"]), values["averaged"]
        self.number, self.seconds, self.seed = values["number"], values["seconds"], values["seed"]
        if values["scaler"]:  # empty where the training ran without scaling; then it begins at its own first guess
            self.scaler.load_state_dict(values["scaler"])


def batch_loss(model: Transformer, batch: Batch, label_smoothing: float) -> Float[Tensor, ""]:
    """Mean cross-entropy (nats a token) over the target tokens; padding is not asked for."""
    memory = model.encode(batch.src)
    hidden = model.decode_hidden(batch.tgt_in, memory, padding_mask(batch.src, model.config.pad_id))
    real = batch.tgt_out != model.config.pad_id  # (B, T)
    return fused_cross_entropy(hidden[real], model.output_weight, batch.tgt_out[real], label_smoothing)


@torch.inference_mode()
def validation_loss(model: Transformer, batches: Iterable[Batch]) -> float:
    """Mean cross-entropy (nats a token) without smoothing and without dropout: e to its power is the perplexity."""
    model.eval()
    total = tokens = 0.0
    for batch in batches:
        total += batch_loss(model, batch, label_smoothing=0.0).item() * batch.tokens
        tokens += batch.tokens
    return total / tokens


class _Loss(nn.Module):
    """`batch_loss` as a module, which is what a team can wrap."""

    def __init__(self, model: Transformer, label_smoothing: float):
        super().__init__()
        self.model, self.label_smoothing = model, label_smoothing

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        return batch_loss(self.model, batch, self.label_smoothing)
