"""The layers of the encoder and of the decoder: sub-layers, each with a residual path, a norm and dropout."""

from collections.abc import Callable

from jaxtyping import Bool, Float
from torch import Tensor, nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.cache import LayerCache
from lessons_lib.feedforward import FeedForward
from lessons_lib.norms import LayerNorm


class Residual(nn.Module):
    """Add & norm around one sub-layer.

    ``norm="post"``: LayerNorm(x + f(x)), as published (Vaswani et al. 2017, section 3.1).
    ``norm="pre"``: x + f(LayerNorm(x)), which trains without a long warm-up (Xiong et al. 2020, figure 1).

    Raises:
        ValueError: ``norm`` is neither.
    """

    def __init__(self, d_model: int, dropout: float, norm: str):
        super().__init__()
        if norm not in ("pre", "post"):
            raise ValueError(f"norm={norm!r} is not known; use 'pre' or 'post'")
        self.pre = norm == "pre"
        self.norm = LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "B T D"], sublayer: Callable[[Tensor], Tensor]) -> Float[Tensor, "B T D"]:
        if self.pre:
            return x + self.dropout(sublayer(self.norm(x)))
        return self.norm(x + self.dropout(sublayer(x)))


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward network (Vaswani et al. 2017, section 3.1)."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float = 0.0, norm: str = "pre"):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.attention_residual = Residual(d_model, dropout, norm)
        self.feed_forward_residual = Residual(d_model, dropout, norm)

    def forward(
        self,
        x: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "..."] | None = None,
        return_weights: bool = False,
    ) -> tuple[Float[Tensor, "B S D"], Float[Tensor, "B H S S"] | None]:
        """One layer further, and the attention weights if asked for."""
        weights = None

        def attend(x: Tensor) -> Tensor:
            nonlocal weights
            output, weights = self.attention(x, mask=mask, return_weights=return_weights)
            return output

        x = self.attention_residual(x, attend)
        return self.feed_forward_residual(x, self.feed_forward), weights


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the source, the feed-forward network (section 3.1)."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float = 0.0, norm: str = "pre"):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.attention_residual = Residual(d_model, dropout, norm)
        self.cross_attention_residual = Residual(d_model, dropout, norm)
        self.feed_forward_residual = Residual(d_model, dropout, norm)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        memory: Float[Tensor, "B S D"] | None,
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
        cache: LayerCache | None = None,
        return_weights: bool = False,
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B H T T2"] | None, Float[Tensor, "B H T S2"] | None]:
        """One layer further, and the self- and cross-attention weights if asked for.

        Args:
            memory: the encoder's output; None with a cache, which holds its keys and values already.
        """
        self_weights = cross_weights = None

        def attend(x: Tensor) -> Tensor:
            nonlocal self_weights
            past = None if cache is None else cache.past
            output, self_weights = self.attention(x, mask=mask, cache=past, return_weights=return_weights)
            return output

        def attend_to_source(x: Tensor) -> Tensor:
            nonlocal cross_weights
            if cache is None:
                key, value = self.cross_attention.keys_values(memory)
            else:
                key, value = cache.source_key, cache.source_value
            output, cross_weights = self.cross_attention.attend(x, key, value, memory_mask, return_weights)
            return output

        x = self.attention_residual(x, attend)
        x = self.cross_attention_residual(x, attend_to_source)
        return self.feed_forward_residual(x, self.feed_forward), self_weights, cross_weights
