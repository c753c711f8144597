"""Attention: every query reads a weighted average of the values (Vaswani et al. 2017, section 3.2)."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from lessons_lib.cache import KeyValueCache


def scaled_dot_product_attention(
    query: Float[Tensor, "*batch T K"],
    key: Float[Tensor, "*batch S K"],
    value: Float[Tensor, "*batch S Kv"],
    mask: Bool[Tensor, "*#batch #T #S"] | None = None,
) -> tuple[Float[Tensor, "*batch T Kv"], Float[Tensor, "*batch T S"]]:
    """softmax(QKᵀ / √d_head) V, and the weights (Vaswani et al. 2017, section 3.2.1).

    Args:
        mask: True where a query may attend. A query that may attend to nothing gets zeros.

    Returns:
        The output, and the attention weights: each row sums to 1 (to 0 where nothing may be attended).

    Raises:
        ValueError: the mask does not broadcast to the scores.
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (*batch, T, S)
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        # The most negative finite number, not -inf: a row of nothing but -inf is NaN after the softmax. The second
        # fill turns such a row, uniform by now, into zeros.
        forbidden = ~_checked_mask(mask, scores.shape)
        scores = scores.masked_fill(forbidden, torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=-1).masked_fill(forbidden, 0.0)
    return weights @ value, weights


def fused_attention(
    query: Float[Tensor, "B H T K"],
    key: Float[Tensor, "B H S K"],
    value: Float[Tensor, "B H S K"],
    mask: Bool[Tensor, "#B #H #T #S"] | None = None,
) -> Float[Tensor, "B H T K"]:
    """The same output from PyTorch's fused kernel, which never stores the (T, S) weights (Dao et al. 2022)."""
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    if mask is not None:
        output = output.masked_fill(~mask.any(dim=-1, keepdim=True), 0.0)  # rows that may attend to nothing
    return output


class MultiHeadAttention(nn.Module):
    """Attention in ``n_heads`` subspaces at once, then mixed (Vaswani et al. 2017, section 3.2.2).

    Self-attention when called with one sequence, cross-attention when called with two.

    Raises:
        ValueError: ``d_model`` is not divisible by ``n_heads``.
    """

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        check_heads(d_model, n_heads)
        self.n_heads = n_heads
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)

    def forward(
        self,
        query: Float[Tensor, "B T D"],
        source: Float[Tensor, "B S D"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        cache: KeyValueCache | None = None,
        return_weights: bool = False,
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B H T S2"] | None]:
        """Read ``source`` (or ``query`` itself) from every position of ``query``.

        Args:
            mask: broadcasts to (B, H, T, S); True = may attend.
            cache: keys and values of the positions before; the new ones are appended to it.
            return_weights: also return the (B, H, T, S) weights; otherwise None stands in their place.
        """
        key, value = self.keys_values(query if source is None else source)
        if cache is not None:
            key, value = cache.append(key, value)
        return self.attend(query, key, value, mask, return_weights)

    def keys_values(self, source: Float[Tensor, "B S D"]) -> tuple[Float[Tensor, "B H S K"], Float[Tensor, "B H S K"]]:
        """What ``source`` offers to be found by, and what it gives when found."""
        return self._split(self.key(source)), self._split(self.value(source))

    def attend(
        self,
        query: Float[Tensor, "B T D"],
        key: Float[Tensor, "B H S K"],
        value: Float[Tensor, "B H S K"],
        mask: Bool[Tensor, "..."] | None = None,
        return_weights: bool = False,
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B H T S"] | None]:
        """Attend to keys and values that are already projected (from a cache, or from `keys_values`)."""
        heads, weights = self._split(self.query(query)), None
        if return_weights or not _prefers_fused(heads, key):
            heads, weights = scaled_dot_product_attention(heads, key, value, mask)
        else:
            heads = fused_attention(heads, key, value, mask)
        merged = heads.transpose(1, 2).flatten(2)  # (B, H, T, K) -> (B, T, H, K) -> (B, T, D)
        return self.output(merged), weights if return_weights else None

    def _split(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B H T K"]:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, T, D) -> (B, T, H, K) -> (B, H, T, K)


def check_heads(d_model: int, n_heads: int) -> None:
    """Raise ValueError, with divisors to choose from, unless ``d_model`` splits evenly into ``n_heads``."""
    if n_heads < 1 or d_model % n_heads:
        divisors = ", ".join(str(n) for n in range(1, min(d_model, 16) + 1) if d_model % n == 0)
        raise ValueError(f"d_model={d_model} is not divisible by n_heads={n_heads}; use {divisors} …")


def _checked_mask(mask: Tensor, shape: torch.Size) -> Tensor:
    pairs = zip(reversed(mask.shape), reversed(shape), strict=False)
    if mask.dim() > len(shape) or any(size not in (1, wanted) for size, wanted in pairs):
        raise ValueError(f"mask of shape {tuple(mask.shape)} does not broadcast to the scores {tuple(shape)}")
    return mask


def _prefers_fused(query: Tensor, key: Tensor) -> bool:
    """Fused on a GPU always; on a CPU only for long rows, where the (T, S) weights no longer fit its caches."""
    return query.device.type != "cpu" or query.shape[-2] * key.shape[-2] > 128 * 128
