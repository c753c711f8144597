"""Training: show the model a batch, ask how wrong it is, move every weight a little; until the time is over."""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from lessons_lib.device import autocast
from lessons_lib.masks import padding_mask
from lessons_lib.transformer import Transformer
from lessons_lib.translation.batching import Batch
from lessons_lib.translation.losses import fused_cross_entropy


@dataclass(frozen=True)
class TrainingOptions:
    """How to train: for so many ``minutes`` or so many ``steps``, whichever is given.

    Raises:
        ValueError: neither or both are given, or a value is out of its range.
    """

    minutes: float | int | None = None
    steps: int | None = None
    learning_rate: float = 2e-3  # at its peak
    warmup_steps: int = 150
    label_smoothing: float = 0.1
    weight_decay: float = 0.01
    clip_norm: float = 1.0

    def __post_init__(self):
        if (self.minutes is None) == (self.steps is None):
            raise ValueError("give either minutes or steps; the learning rate falls to zero towards that end")
        for name in ("minutes", "steps", "learning_rate", "warmup_steps", "clip_norm"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name}={value} is not positive; use more than 0")
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing={self.label_smoothing} is not in [0, 1); 0.1 is usual")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay={self.weight_decay} is negative; use 0 or more")


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
    device = model.embedding.weight.device
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.98), eps=1e-9, weight_decay=options.weight_decay, fused=True
    )
    scaler = torch.amp.GradScaler(device.type, enabled=precision == torch.float16)
    started = None
    for number, batch in enumerate(batches):
        started = started or time.monotonic()  # the minutes count from the first batch
        progress = _progress(options, number, started)
        if progress >= 1:
            return
        learning_rate = options.learning_rate * schedule(number, progress, options.warmup_steps)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        model.train()
        with autocast(device, precision):
            loss = batch_loss(model, batch, options.label_smoothing)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        gradient_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip_norm)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        yield Step(
            number=number + 1,
            progress=_progress(options, number + 1, started),
            seconds=time.monotonic() - started,
            loss=loss.detach(),
            gradient_norm=gradient_norm,
            learning_rate=learning_rate,
            tokens=batch.tokens,
        )


def schedule(number: int, progress: float, warmup_steps: int) -> float:
    """The share of the peak learning rate: up in a straight line over the first steps, then down to 0 at the end.

    The way up counts steps and not seconds, so that the first losses of a seed are the same on every run.
    """
    return min((number + 1) / warmup_steps, 1 - progress)


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


def _progress(options: TrainingOptions, steps_done: int, started: float) -> float:
    if options.steps is not None:
        return steps_done / options.steps
    return (time.monotonic() - started) / (60 * options.minutes)
