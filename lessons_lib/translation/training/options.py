"""What a training is told: how long, how fast, how careful; and how its learning rate rises and falls."""

import math
from dataclasses import dataclass

from lessons_lib.errors import UserError


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
    accumulate: int = 1  # pieces of a batch that meet the model one after the other: less memory, the same update
    average: int = 0  # states of the last three tenths whose mean is the result; 0: the last state

    def __post_init__(self):
        if (self.minutes is None) == (self.steps is None):
            raise UserError("give either minutes or steps; the learning rate falls to zero towards that end")
        for name in ("minutes", "steps", "learning_rate", "warmup_steps", "clip_norm", "accumulate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise UserError(f"{name}={value} is not positive; use more than 0")
        if not 0 <= self.label_smoothing < 1:
            raise UserError(f"label_smoothing={self.label_smoothing} is not in [0, 1); 0.1 is usual")
        for name in ("weight_decay", "average"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UserError(f"{name}={getattr(self, name)} is negative; use 0 or more")


def schedule(number: int, progress: float, warmup_steps: int) -> float:
    """The share of the peak learning rate: up in a straight line over the first steps, then down to 0 at the end.

    The way up counts steps and not seconds, so that the first losses of a seed are the same on every run.
    """
    return min((number + 1) / warmup_steps, 1 - progress)
