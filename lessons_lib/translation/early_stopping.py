"""Stopping when it no longer gets better: the weights of the best validation are kept (Prechelt 1998)."""

import torch
from torch import Tensor, nn


class EarlyStopping:
    """Ends a training after ``patience`` validations without a better score; never with a patience of None."""

    def __init__(self, model: nn.Module, patience: int | None):
        self.model, self.patience = model, patience
        self.best: float | None = None
        self.misses = 0
        self.weights: dict[str, Tensor] = {}

    @property
    def over(self) -> bool:
        """Whether to stop."""
        return self.patience is not None and self.misses >= self.patience

    @torch.no_grad()
    def after_validation(self, score: float) -> None:
        """Take note of a score; higher is better."""
        if self.patience is None:
            return
        if self.best is None or score > self.best:
            self.best, self.misses = score, 0
            self.weights = {name: weight.detach().clone() for name, weight in self.model.named_parameters()}
        else:
            self.misses += 1

    @torch.no_grad()
    def apply(self) -> bool:
        """Put the best weights into the model, if there was a patience; whether there was."""
        for name, weight in self.model.named_parameters():
            if name in self.weights:
                weight.copy_(self.weights[name])
        return bool(self.weights)
