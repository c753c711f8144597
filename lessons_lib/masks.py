"""Who may look at whom. A mask is boolean: ``mask[t, s]`` is True where query ``t`` may attend to key ``s``."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from lessons_lib.errors import UserError


def causal_mask(length: int, device: torch.device | None = None) -> Bool[Tensor, "T T"]:
    """Position ``t`` sees the positions up to ``t`` (Vaswani et al. 2017, section 3.2.3)."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def padding_mask(tokens: Int[Tensor, "B S"], pad_id: int) -> Bool[Tensor, "B 1 1 S"]:
    """Nobody sees the padding; the two ones stand for every head and every query."""
    return (tokens != pad_id)[:, None, None, :]


def causal_padding_mask(tokens: Int[Tensor, "B T"], pad_id: int) -> Bool[Tensor, "B 1 T T"]:
    """Both: the positions up to ``t`` that are not padding."""
    return causal_mask(tokens.shape[1], tokens.device) & padding_mask(tokens, pad_id)


def prefix_mask(length: int, prefix: int, device: torch.device | None = None) -> Bool[Tensor, "T T"]:
    """Everybody sees the first ``prefix`` positions; behind them the mask is causal (Raffel et al. 2020, figure 3)."""
    mask = causal_mask(length, device)
    mask[:, :prefix] = True
    return mask


def sliding_window_mask(length: int, window: int, device: torch.device | None = None) -> Bool[Tensor, "T T"]:
    """Position ``t`` sees itself and the ``window − 1`` positions before (Beltagy et al. 2020; Jiang et al. 2023).

    Raises:
        ValueError: a window of nothing.
    """
    if window < 1:
        raise UserError(f"window={window} leaves nothing to see; use 1 or more")
    return causal_mask(length, device).triu(1 - window)


def explain(mask: Bool[Tensor, "T S"], queries: Sequence[str], keys: Sequence[str] | None = None) -> str:
    """Who sees whom, in words: a line a query.

    Raises:
        ValueError: there are not as many words as rows and columns.
    """
    keys = queries if keys is None else keys
    if tuple(mask.shape) != (len(queries), len(keys)):
        raise UserError(f"mask of shape {tuple(mask.shape)} for {len(queries)} queries and {len(keys)} keys")
    width = max(map(len, queries), default=0)
    seen = [" ".join(key for key, allowed in zip(keys, row, strict=True) if allowed) for row in mask.tolist()]
    return "\n".join(f"{query:<{width}} sees {whom or 'nothing'}" for query, whom in zip(queries, seen, strict=True))
