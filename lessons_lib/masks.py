"""Who may look at whom. A mask is boolean: ``mask[t, s]`` is True where query ``t`` may attend to key ``s``."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def causal_mask(length: int, device: torch.device | None = None) -> Bool[Tensor, "T T"]:
    """Position ``t`` sees the positions up to ``t`` (Vaswani et al. 2017, section 3.2.3)."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def padding_mask(tokens: Int[Tensor, "B S"], pad_id: int) -> Bool[Tensor, "B 1 1 S"]:
    """Nobody sees the padding; the two ones stand for every head and every query."""
    return (tokens != pad_id)[:, None, None, :]
