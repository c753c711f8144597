"""Attention: every query reads a weighted average of the values (Vaswani et al. 2017, section 3.2)."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from lessons_lib.cache import KeyValueCache
from lessons_lib.errors import UserError


def scaled_dot_product_attention(
    query: Float[Tensor, "*batch T d_head"],
    key: Float[Tensor, "*batch S d_head"],
    value: Float[Tensor, "*batch S d_value"],
    mask: Bool[Tensor, "*#batch #T #S"] | None = None,
    bias: Float[Tensor, "*#batch #T #S"] | None = None,
    dropout: float = 0.0,
) -> tuple[Float[Tensor, "*batch T d_value"], Float[Tensor, "*batch T S"]]:
    """softmax(QKᵀ / √d_head + bias) V, and the weights (Vaswani et al. 2017, section 3.2.1).

    Args:
        mask: True where a query may attend. A query that may attend to nothing gets zeros.
        bias: added to the scores (relative positions).
        dropout: the share of weights set to zero before they are used; those that are returned are whole.

    Returns:
        The output, and the attention weights: each row sums to 1 (to 0 where nothing may be attended).

    Raises:
        ValueError: the mask does not broadcast to the scores.
    """
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)  # (*batch, T, S)
    if bias is not None:
        scores = scores + bias
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        _check_mask(mask, scores.shape)
        penalty, awake = _penalty(mask, scores.dtype)
        weights = (scores + penalty).softmax(dim=-1) * awake
    return F.dropout(weights, dropout).to(value.dtype) @ value, weights


def fused_attention(
    query: Float[Tensor, "*batch T d_head"],
    key: Float[Tensor, "*batch S d_head"],
    value: Float[Tensor, "*batch S d_head"],
    mask: Bool[Tensor, "*#batch #T #S"] | None = None,
    bias: Float[Tensor, "*#batch #T #S"] | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "*batch T d_head"]:
    """The same output from PyTorch's own function.

    Its fused kernels, which it takes where one fits, do not store the (T, S) weights (Dao et al. 2022). Those for CPUs
    are fast in float32 alone, so 16-bit numbers are widened for them.
    """
    if query.device.type == "cpu" and query.element_size() < 4:
        with torch.autocast("cpu", enabled=False):
            wide = (x.float() for x in (query, key, value))
            return fused_attention(*wide, mask, bias, dropout).to(query.dtype)
    bias = bias if bias is None else bias.to(query.dtype)
    attend = partial(F.scaled_dot_product_attention, query, key, value, dropout_p=dropout)
    if mask is None:
        return attend(attn_mask=bias)
    _check_mask(mask, (*query.shape[:-1], key.shape[-2]))
    if query.device.type == "cpu":  # where, since PyTorch 2.5, a query that may attend to nothing gets zeros
        return attend(attn_mask=mask if bias is None else bias.masked_fill(~mask, -math.inf))
    penalty, awake = _penalty(mask, query.dtype)
    return attend(attn_mask=penalty if bias is None else penalty + bias) * awake


def _penalty(mask: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """What to add to scores so that only what is allowed counts, and 0 for a query without any key.

    A large finite number, not -inf: a row of nothing but -inf is NaN after the softmax. Such a row stays finite, and
    the 0 by which it is multiplied makes it zeros.
    """
    return (~mask).to(dtype) * (torch.finfo(dtype).min / 2), mask.any(dim=-1, keepdim=True).to(dtype)


def _check_mask(mask: Tensor, shape: Sequence[int]) -> None:
    pairs = zip(reversed(mask.shape), reversed(shape), strict=False)
    if mask.dim() > len(shape) or any(size not in (1, wanted) for size, wanted in pairs):
        raise UserError(f"mask of shape {tuple(mask.shape)} does not broadcast to the scores {tuple(shape)}")


class AttentionPositions(NamedTuple):
    """What a self-attention is told about positions: a bias of its scores, a turn of its queries and keys."""

    bias: Float[Tensor, "H T S"] | None = None
    rotate: Callable[[Tensor], Tensor] = lambda heads: heads


NO_POSITIONS = AttentionPositions()


class MultiHeadAttention(nn.Module):
    """Attention in ``n_heads`` subspaces at once, then mixed (Vaswani et al. 2017, section 3.2.2).

    Self-attention when called with one sequence, cross-attention when called with two. With ``n_kv_heads`` below
    ``n_heads``, groups of query heads share a key and value head (Ainslie et al. 2023); with 1, all of them do
    (Shazeer 2019).

    Args:
        d_head: the width of a head; ``d_model / n_heads`` unless given.
        bias: which projections have one: "all", "qkv" or "none".

    Raises:
        ValueError: ``d_model`` is not divisible by ``n_heads``, or ``n_heads`` by ``n_kv_heads``.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int | None = None,
        d_head: int | None = None,
        dropout: float = 0.0,
        bias: str = "all",
    ):
        super().__init__()
        check_heads(d_model, n_heads, n_kv_heads, d_head)
        self.d_head = d_head or d_model // n_heads
        self.group = n_heads // (n_kv_heads or n_heads)  # query heads to a key head
        self.dropout = dropout
        self.record: Callable[[Tensor], None] | None = None  # set by `recorded_attention`
        width, kv_width = n_heads * self.d_head, (n_kv_heads or n_heads) * self.d_head
        self.query = nn.Linear(d_model, width, bias=bias != "none")
        self.key = nn.Linear(d_model, kv_width, bias=bias != "none")
        self.value = nn.Linear(d_model, kv_width, bias=bias != "none")
        self.output = nn.Linear(width, d_model, bias=bias == "all")

    def forward(
        self,
        query: Float[Tensor, "B T D"],
        source: Float[Tensor, "B S D"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        positions: AttentionPositions = NO_POSITIONS,
        cache: KeyValueCache | None = None,
        return_weights: bool = False,
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B H T S2"] | None]:
        """Read ``source`` (or ``query`` itself) from every position of ``query``.

        Args:
            mask: broadcasts to (B, H, T, S); True = may attend.
            positions: what the positions do to queries, keys and scores.
            cache: keys and values of the positions before; the new ones are appended to it.
            return_weights: also return the (B, H, T, S) weights; otherwise None stands in their place.
        """
        key, value = self.keys_values(query if source is None else source, positions)
        if cache is not None:
            key, value = cache.append(key, value)
        return self.attend(query, key, value, mask, positions, return_weights)

    def keys_values(
        self, source: Float[Tensor, "B S D"], positions: AttentionPositions = NO_POSITIONS
    ) -> tuple[Float[Tensor, "B G S d_head"], Float[Tensor, "B G S d_head"]]:
        """What ``source`` offers to be found by, and what it gives when found: G heads of each."""
        return positions.rotate(self._split(self.key(source))), self._split(self.value(source))

    def attend(
        self,
        query: Float[Tensor, "B T D"],
        key: Float[Tensor, "B G S d_head"],
        value: Float[Tensor, "B G S d_head"],
        mask: Bool[Tensor, "..."] | None = None,
        positions: AttentionPositions = NO_POSITIONS,
        return_weights: bool = False,
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B H T S"] | None]:
        """Attend to keys and values that are already projected (from a cache, or from `keys_values`)."""
        heads, weights = positions.rotate(self._split(self.query(query))), None
        if self.group > 1:  # each key and value head once for every query head of its group
            shared = torch.arange(heads.shape[1], device=key.device) // self.group
            key, value = key[:, shared], value[:, shared]  # (B, G, S, d_head) -> (B, H, S, d_head)
        # Named, and only where there are any: a simpler function of (query, key, value, mask) may stand in for ours.
        extras = {} if positions.bias is None else {"bias": positions.bias}
        if self.training and self.dropout:
            extras["dropout"] = self.dropout
        if return_weights or self.record or not _worth_widening(heads, key):
            heads, weights = scaled_dot_product_attention(heads, key, value, mask, **extras)
        else:
            heads = fused_attention(heads, key, value, mask, **extras)
        if self.record:
            self.record(weights)
        merged = heads.transpose(1, 2).flatten(2)  # (B, H, T, d_head) -> (B, T, H, d_head) -> (B, T, H·d_head)
        return self.output(merged), weights if return_weights else None

    def _split(self, x: Float[Tensor, "B T H_d_head"]) -> Float[Tensor, "B H T d_head"]:
        split = x.unflatten(-1, (-1, self.d_head))  # (B, T, H·d_head) -> (B, T, H, d_head)
        return split.transpose(1, 2)  # (B, H, T, d_head)


@contextlib.contextmanager
def recorded_attention(model: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Inside, every attention of ``model`` leaves its last weights (B, H, T, S) here, under its name in the model."""
    weights, named = {}, {n: m for n, m in model.named_modules() if isinstance(m, MultiHeadAttention)}
    for name, attention in named.items():
        attention.record = partial(weights.__setitem__, name)
    try:
        yield weights
    finally:
        for attention in named.values():
            attention.record = None


def check_heads(d_model: int, n_heads: int, n_kv_heads: int | None = None, d_head: int | None = None) -> None:
    """Raise ValueError, with numbers to choose from, unless ``d_model`` splits into heads, and these into groups."""
    if n_heads < 1 or (d_head is None and d_model % n_heads):
        raise UserError(f"d_model={d_model} is not divisible by n_heads={n_heads}; use {_divisors(d_model)} …")
    if n_kv_heads is not None and (n_kv_heads < 1 or n_heads % n_kv_heads):
        raise UserError(f"n_heads={n_heads} is not divisible by n_kv_heads={n_kv_heads}; use {_divisors(n_heads)}")
    if d_head is not None and d_head < 1:
        raise UserError(f"d_head={d_head} is not positive; use 1 or more")


def _divisors(number: int) -> str:
    return ", ".join(str(n) for n in range(1, min(number, 16) + 1) if number % n == 0)


def _worth_widening(query: Float[Tensor, "B H T d_head"], key: Float[Tensor, "B H S d_head"]) -> bool:
    """False for 16-bit numbers on a CPU where few queries read many keys: a cache, widened anew for each token."""
    narrow = query.device.type == "cpu" and query.element_size() < 4
    return not narrow or key.shape[-2] <= 32 * query.shape[-2]
