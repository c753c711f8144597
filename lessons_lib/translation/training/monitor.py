"""Watching a training: a progress bar and a plot for people, a line of JSON for programs, and an ear for "stop"."""

import contextlib
import json
import math
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from tqdm.auto import tqdm  # a widget in a notebook, a line in a terminal

from lessons_lib.errors import UserError
from lessons_lib.translation.training.checkpoint import LATEST
from lessons_lib.translation.training.live_plot import LivePlot, in_notebook
from lessons_lib.translation.training.loop import Step

SAME_PRESS = 1.0  # seconds


class StopSignal:
    """Inside this context Ctrl-C or SIGTERM only sets ``received``, so that the model can be saved; a second one ends.

    What comes within `SAME_PRESS` seconds of the first is no second one: Ctrl-C in a terminal reaches torchrun and its
    processes, and then torchrun tells its processes. Signals reach the main thread alone; in another thread the context
    does nothing.
    """

    def __init__(self):
        self.received: signal.Signals | None = None

    def __enter__(self) -> "StopSignal":
        self._before = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_) -> None:
        self.listen_no_more()

    def _receive(self, number, _frame) -> None:
        if self.received is None:
            self.received, self._since = signal.Signals(number), time.monotonic()
        elif time.monotonic() - self._since > SAME_PRESS:
            self.listen_no_more()
            os.kill(os.getpid(), number)

    def listen_no_more(self) -> None:
        """From now on a signal ends the program, as it did before: there is nothing left to save."""
        while self._before:
            signal.signal(*self._before.popitem())


class Monitor:
    """A progress bar on stderr, and ``metrics.jsonl``: a line of JSON every ``every`` steps and each validation.

    Args:
        after: the step from which a training goes on; what the file says of later ones is forgotten.
        totals: what `totals` said there.
        live: whether to draw the metrics as they come; None does so in a notebook. False shows no progress bar either:
            the output that a notebook stores is then the same every time.
    """

    def __init__(
        self,
        metrics: Path,
        after: int = 0,
        totals: dict[str, int | float] | None = None,
        every: int = 10,
        live: bool | None = None,
    ):
        self._path = metrics
        self._file, self._rows = _opened_after(metrics, after)
        self._plot = LivePlot(self._rows) if (in_notebook() if live is None else live) else None
        self._bar = tqdm(
            total=1.0,
            desc="training",
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
            mininterval=0.5 if sys.stderr.isatty() else 15,  # a log file gets a line now and then
            file=sys.stderr,
            disable=live is False,
        )
        self._every = every
        totals = totals or {}
        self.tokens, self.steps, self.seconds = totals.get("tokens", 0), after, 0.0
        # Without what lies before the first step, and validations.
        self._timed_tokens, self._timed_seconds = totals.get("timed_tokens", 0), totals.get("timed_seconds", 0.0)
        self._timing, self._loss = False, 0.0

    def __enter__(self) -> "Monitor":
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()
        with contextlib.suppress(OSError):  # a full disk: what `_write` could not write
            self._file.close()
        if self._plot:
            self._plot.update(last=True)

    def step(self, step: Step) -> None:
        """Take note of one training step."""
        if self._timing:
            self._timed_tokens += step.tokens
            self._timed_seconds += step.seconds - self.seconds
        self._timing = True
        self.tokens += step.tokens
        self.steps, self.seconds, self._loss = step.number, step.seconds, step.loss
        if step.number % self._every and step.number != 1:
            return
        values = {
            "step": step.number,
            "seconds": round(step.seconds, 2),
            "loss": step.loss.item(),
            # Infinite where fp16 overflowed and the step was left out: JSON has no number for that.
            "gradient_norm": finite_or_none(step.gradient_norm.item()),
            "learning_rate": step.learning_rate,
            "tokens_per_second": round(self.tokens_per_second()),
        }
        self.check_loss()
        self._write(values)
        self._bar.set_postfix_str(
            f"step {step.number}, loss {values['loss']:.2f}, {values['tokens_per_second']:,} tokens/s",
            refresh=False,
        )
        self._bar.update(min(step.progress, 1.0) - self._bar.n)

    def check_loss(self) -> None:
        """Raise ValueError if the last loss is no number: what such a step leaves is not worth keeping."""
        if self.steps and not math.isfinite(loss := float(self._loss)):
            raise UserError(no_number("the loss", loss, self.steps, (self._path.parent / LATEST).exists()))

    def totals(self) -> dict[str, int | float]:
        """What a training that goes on later must know of its past."""
        return {"tokens": self.tokens, "timed_tokens": self._timed_tokens, "timed_seconds": self._timed_seconds}

    def validated(self, loss: float, bleu: float, chrf: float) -> None:
        """Take note of a validation."""
        self._timing = False
        self._write(
            {
                "step": self.steps,
                "seconds": round(self.seconds, 2),
                "valid_loss": finite_or_none(loss),
                "valid_bleu": round(bleu, 2),
                "valid_chrf": round(chrf, 2),
            }
        )
        if not self._bar.disable:
            line = f"step {self.steps}: validation loss {loss:.3f}, BLEU {bleu:.1f}, chrF {chrf:.1f} (greedy)"
            self._bar.write(line, file=sys.stderr)

    def tokens_per_second(self) -> float:
        """Target tokens a second of training."""
        return self._timed_tokens / self._timed_seconds if self._timed_seconds else 0.0

    def _write(self, values: dict) -> None:
        try:
            self._file.write(json.dumps(values, allow_nan=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise OSError(
                f"{self._path} cannot be written ({error.strerror}); "
                "free some space and run the same command: it goes on from the last checkpoint"
            ) from None
        self._rows.append(values)
        if self._plot:
            self._plot.update()


def finite_or_none(value: float) -> float | None:
    """``value``, or None where it is no number that JSON can hold."""
    return value if math.isfinite(value) else None


def no_number(name: str, value: float | str, step: int, kept: bool) -> str:
    """What to say, and to do, when a training leaves the numbers; ``kept``: whether there is a checkpoint."""
    checkpoint = "the last checkpoint is kept" if kept else "there was no checkpoint yet"
    return f"{name} is {value} at step {step}; {checkpoint}. Use a lower learning rate or a longer warm-up"


def _opened_after(metrics: Path, step: int) -> tuple[TextIO, list[dict]]:
    """The file, holding only whole lines of steps up to ``step``, open for more; and what those lines say."""
    kept = []
    if step and metrics.exists():
        for line in metrics.read_text("utf-8", "replace").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):  # a line cut off by a power cut
                row = json.loads(line)
                kept += [row] * (row["step"] <= step)
    metrics.write_text("".join(f"{json.dumps(row)}\n" for row in kept), "utf-8")
    return metrics.open("a", encoding="utf-8"), kept
