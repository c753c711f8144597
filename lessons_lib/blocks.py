"""The layers of the encoder and of the decoder: sub-layers, each with a residual path, a norm and dropout."""

from collections.abc import Callable

from jaxtyping import Bool, Float
from torch import Tensor, nn

from lessons_lib.attention import NO_POSITIONS, AttentionPositions, MultiHeadAttention
from lessons_lib.cache import LayerCache
from lessons_lib.config import TransformerConfig
from lessons_lib.dropout import Dropout
from lessons_lib.feedforward import FeedForward
from lessons_lib.norms import NORMS


class Residual(nn.Module):
    """Add & norm around one sub-layer.

    ``norm="post"``: LayerNorm(x + f(x)), as published (Vaswani et al. 2017, section 3.1).
    ``norm="pre"``: x + f(LayerNorm(x)), which trains without a long warm-up (Xiong et al. 2020, figure 1).
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.pre = config.norm == "pre"
        self.norm = NORMS[config.norm_type](config.d_model, config.norm_eps)
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Float[Tensor, "B T D"], sublayer: Callable[[Tensor], Tensor]) -> Float[Tensor, "B T D"]:
        if self.pre:
            return x + self.dropout(sublayer(self.norm(x)))
        return self.norm(x + self.dropout(sublayer(x)))


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward network (Vaswani et al. 2017, section 3.1)."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.attention = _attention(config)
        self.feed_forward = _feed_forward(config)
        self.attention_residual = Residual(config)
        self.feed_forward_residual = Residual(config)

    def forward(
        self,
        x: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "..."] | None = None,
        positions: AttentionPositions = NO_POSITIONS,
    ) -> Float[Tensor, "B S D"]:
        x = self.attention_residual(x, lambda x: self.attention(x, None, mask, positions)[0])
        return self.feed_forward_residual(x, self.feed_forward)


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the source, the feed-forward network (section 3.1).

    In a decoder-only model there is no source, and no cross-attention (Liu et al. 2018, section 4.2.3).
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.attention = _attention(config)
        self.attention_residual = Residual(config)
        if config.n_encoder_layers:
            self.cross_attention = _attention(config)
            self.cross_attention_residual = Residual(config)
        else:
            self.cross_attention = None
        self.feed_forward = _feed_forward(config)
        self.feed_forward_residual = Residual(config)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        memory: Float[Tensor, "B S D"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
        positions: AttentionPositions = NO_POSITIONS,
        cache: LayerCache | None = None,
    ) -> Float[Tensor, "B T D"]:
        """One layer further.

        Args:
            memory: the encoder's output; None with a cache, which holds its keys and values already.
        """
        past = None if cache is None else cache.past
        x = self.attention_residual(x, lambda x: self.attention(x, None, mask, positions, past)[0])
        if self.cross_attention is not None:
            source = self.cross_attention.keys_values(memory) if cache is None else cache.source
            beam = 1 if cache is None else cache.beam
            x = self.cross_attention_residual(x, lambda x: self._read(x, source, memory_mask, beam))
        return self.feed_forward_residual(x, self.feed_forward)

    def _read(
        self, x: Float[Tensor, "B T D"], source: tuple[Tensor, Tensor], mask: Bool[Tensor, "..."] | None, beam: int
    ) -> Float[Tensor, "B T D"]:
        """Cross-attention. ``beam`` rows that share a source are queries side by side."""
        if beam == 1:
            return self.cross_attention.attend(x, *source, mask)[0]
        side_by_side = x.reshape(len(x) // beam, -1, x.shape[-1])  # (B·beam, T, D) -> (B, beam·T, D)
        return self.cross_attention.attend(side_by_side, *source, mask[::beam])[0].view_as(x)


def _attention(config: TransformerConfig) -> MultiHeadAttention:
    heads = (config.n_heads, config.n_kv_heads, config.d_head)
    return MultiHeadAttention(config.d_model, *heads, dropout=config.attention_dropout, bias=config.bias)


def _feed_forward(config: TransformerConfig) -> FeedForward:
    return FeedForward(config.d_model, config.d_ff, config.activation, bias=config.bias == "all")
