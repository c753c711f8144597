"""Sampling: not the most probable next token, but one drawn by its probability."""

import torch
from jaxtyping import Float
from torch import Tensor


def check_sampling(temperature: float, top_k: int, top_p: float) -> None:
    """Raise ValueError, naming the value, unless one can sample with these."""
    if not temperature > 0:
        raise ValueError(f"temperature={temperature} is not positive; use 1.0, or less for less surprise")
    if top_k < 0:
        raise ValueError(f"top_k={top_k} is negative; use 0 for all tokens")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p={top_p} is not in (0, 1]; use 1.0 for all tokens")


def likely(
    log_probabilities: Float[Tensor, "rows V"], temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> Float[Tensor, "rows V"]:
    """Probabilities to draw from: sharper at a low temperature, and 0 outside the ``top_k`` and the nucleus.

    Args:
        top_k: only so many of the most probable tokens (Fan et al. 2018, section 4.4); 0 for all.
        top_p: only the fewest tokens that together have this probability (Holtzman et al. 2020, section 3.1).
    """
    ordered, tokens = (log_probabilities / temperature).softmax(dim=-1).sort(dim=-1, descending=True)
    if top_k:
        ordered[:, top_k:] = 0.0
    before = ordered.cumsum(dim=-1) - ordered  # the probability of all that are more likely
    ordered = ordered.masked_fill(before >= top_p, 0.0)
    probabilities = torch.zeros_like(ordered).scatter(1, tokens, ordered)
    return probabilities / probabilities.sum(dim=-1, keepdim=True)
