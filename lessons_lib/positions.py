"""Positions: attention alone cannot tell "dog bites man" from "man bites dog"."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def sinusoidal_table(max_length: int, d_model: int) -> Float[Tensor, "T D"]:
    """PE[t, 2i] = sin(t / 10000^(2i/D)), PE[t, 2i+1] = cos(the same) (Vaswani et al. 2017, section 3.5).

    Raises:
        ValueError: ``d_model`` is odd, so that a sine would have no cosine.
    """
    if d_model % 2:
        raise ValueError(f"d_model={d_model} is odd; sines and cosines come in pairs, use {d_model + 1}")
    position = torch.arange(max_length)[:, None]  # (T, 1)
    frequency = 10_000.0 ** (-torch.arange(0, d_model, 2) / d_model)  # (D/2,)
    table = torch.empty(max_length, d_model)
    table[:, 0::2] = torch.sin(position * frequency)
    table[:, 1::2] = torch.cos(position * frequency)
    return table


class SinusoidalPositions(nn.Module):
    """Adds the sinusoidal table to a sequence of embeddings. Nothing is learned, so nothing is saved."""

    def __init__(self, max_length: int, d_model: int):
        super().__init__()
        self.register_buffer("table", sinusoidal_table(max_length, d_model), persistent=False)

    def forward(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        """Add positions ``start`` to ``start + T``.

        Raises:
            ValueError: the sequence is longer than the table.
        """
        end = start + x.shape[1]
        if end > len(self.table):
            raise ValueError(f"a sequence of {end} tokens is longer than max_length={len(self.table)}; shorten it")
        return x + self.table[start:end]
