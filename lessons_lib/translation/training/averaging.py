"""The average of a training's last weights, which often generalises better than any of them (Izmailov et al. 2018).

Translators have long been averaged over their last checkpoints (Vaswani et al. 2017, section 6.1).
"""

import torch
from torch import Tensor, nn


class WeightAverage:
    """The mean of ``count`` states of a model, taken at even distances over the last ``share`` of its training.

    Nothing is taken with a ``count`` of 0.
    """

    def __init__(self, model: nn.Module, count: int, share: float = 0.3):
        self.model, self.count, self.share = model, count, share
        self.taken = 0
        self.mean: dict[str, Tensor] = {}

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """Take a state if one is due at this ``progress`` of the training, from 0 to 1."""
        if self.taken == self.count or progress < 1 - self.share * (1 - (self.taken + 1) / self.count):
            return
        self.taken += 1
        for name, weight in self.model.named_parameters():
            if name not in self.mean:
                self.mean[name] = weight.detach().clone()
            else:
                self.mean[name].lerp_(weight, 1 / self.taken)

    @torch.no_grad()
    def apply(self) -> None:
        """Put the mean into the model, if anything has been taken."""
        for name, weight in self.model.named_parameters():
            if name in self.mean:
                weight.copy_(self.mean[name])
