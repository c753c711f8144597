"""Stopping when it no longer gets better: the weights of the best validation are kept (Prechelt 1998)."""

import math

import torch
from torch import Tensor, nn


class EarlyStopping:
    """Ends a training after ``patience`` validations that are better in nothing; never with a patience of None.

    Better is a lower loss than ever, or a higher chrF. BLEU stays 0 while no four words in a row are right, and where
    words are not written apart; and a young model's translations change before they get better, while the loss falls.
    The weights that are kept are those of the highest chrF, among equals those of the lowest loss.
    """

    def __init__(self, model: nn.Module, patience: int | None):
        self.model, self.patience = model, patience
        self.best_loss, self.best_chrf, self.misses = math.inf, -math.inf, 0
        self.kept_loss = math.inf  # of the weights that are kept
        self.weights: dict[str, Tensor] = {}

    @property
    def over(self) -> bool:
        """Whether to stop."""
        return self.patience is not None and self.misses >= self.patience

    @torch.no_grad()
    def after_validation(self, loss: float, chrf: float) -> None:
        """Take note of a validation."""
        if self.patience is None:
            return
        self.misses = 0 if loss < self.best_loss or chrf > self.best_chrf else self.misses + 1
        if (-chrf, loss) < (-self.best_chrf, self.kept_loss):
            self.kept_loss = loss
            self.weights = {name: weight.detach().clone() for name, weight in self.model.named_parameters()}
        self.best_loss, self.best_chrf = min(loss, self.best_loss), max(chrf, self.best_chrf)

    def state(self) -> dict:
        """What JSON can hold of it: all but the weights."""
        names = ("best_loss", "best_chrf", "kept_loss", "misses")
        return {name: getattr(self, name) for name in names} if self.weights else {}

    def restore(self, state: dict, weights: dict[str, Tensor]) -> None:
        """Go back to a `state`, and the weights that were kept then."""
        for name in ("best_loss", "best_chrf", "kept_loss", "misses"):
            setattr(self, name, state.get(name, getattr(self, name)))
        self.weights = weights

    @torch.no_grad()
    def apply(self) -> bool:
        """Put the best weights into the model, if there was a patience; whether there was."""
        for name, weight in self.model.named_parameters():
            if name in self.weights:
                weight.copy_(self.weights[name])
        return bool(self.weights)
