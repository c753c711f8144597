"""Sampling: not the most probable next token, but one drawn by its probability."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.errors import UserError


def check_sampling(temperature: float, top_k: int, top_p: float) -> None:
    """Raise ValueError, naming the value, unless one can sample with these."""
    if not 0 < temperature < math.inf:
        raise UserError(f"temperature={temperature} is not a positive number; use 1.0, or less for less surprise")
    if top_k < 0:
        raise UserError(f"top_k={top_k} is negative; use 0 for all tokens")
    if not 0 < top_p <= 1:
        raise UserError(f"top_p={top_p} is not in (0, 1]; use 1.0 for all tokens")


def likely(
    log_probabilities: Float[Tensor, "rows V"], temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> Float[Tensor, "rows V"]:
    """Probabilities to draw from: sharper at a low temperature, and 0 outside the ``top_k`` and the nucleus.

    Args:
        top_k: only so many of the most probable tokens (Fan et al. 2018, section 4.4); 0 for all.
        top_p: only the fewest tokens that together have this probability (Holtzman et al. 2020, section 3.1).
    """
    # So that single precision holds it: below, the best alone is drawn anyway; above, all are equally likely.
    temperature = min(max(temperature, torch.finfo(torch.float).tiny), torch.finfo(torch.float).max)
    below_best = log_probabilities - log_probabilities.amax(dim=-1, keepdim=True)  # 0 at the best, at any temperature
    ordered, tokens = (below_best / temperature).softmax(dim=-1).sort(dim=-1, descending=True)
    if top_k:
        ordered[:, top_k:] = 0.0
    before = ordered.cumsum(dim=-1) - ordered  # the probability of all that are more likely
    ordered = ordered.masked_fill(before >= top_p, 0.0)
    probabilities = torch.zeros_like(ordered).scatter(1, tokens, ordered)
    return probabilities / probabilities.sum(dim=-1, keepdim=True)


class Sampler:
    """Draws the next tokens. Every sentence has dice of its own, so that its neighbours do not change what is drawn.

    Args:
        numbers: which sentence each row of the first batch is: seed and number make its dice.
    """

    def __init__(self, temperature: float, top_k: int, top_p: float, seed: int, numbers: Sequence[int]):
        self._how = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        self._dice = [np.random.default_rng([seed, number]) for number in numbers]

    def __call__(self, log_probabilities: Float[Tensor, "rows V"], sentences: list[int]) -> Int[Tensor, " rows"]:
        """One token for each row, by its probability; never one of probability 0."""
        ladder = likely(log_probabilities, **self._how).cpu().double().cumsum(dim=-1)
        height = torch.tensor([[self._dice[sentence].random()] for sentence in sentences]).double() * ladder[:, -1:]
        return torch.searchsorted(ladder, height, right=True)[:, 0].to(log_probabilities.device)
