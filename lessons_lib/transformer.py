"""The Transformer: an encoder, a decoder, one embedding for both and for the output (Vaswani et al. 2017)."""

import math
from dataclasses import asdict, dataclass, fields
from typing import NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from lessons_lib.attention import check_heads
from lessons_lib.blocks import DecoderLayer, EncoderLayer
from lessons_lib.cache import DecoderCache, KeyValueCache, LayerCache
from lessons_lib.masks import causal_mask, padding_mask
from lessons_lib.norms import LayerNorm
from lessons_lib.positions import SinusoidalPositions


@dataclass(frozen=True)
class TransformerConfig:
    """Everything that fixes the shape of a `Transformer`. Lengths are in tokens.

    Raises:
        ValueError: a size is not positive, ``d_model`` is not divisible by ``n_heads``, or dropout is not in [0, 1).
    """

    vocab_size: int
    d_model: int = 256
    n_heads: int = 4
    n_encoder_layers: int = 3
    n_decoder_layers: int = 3
    d_ff: int = 1024
    dropout: float = 0.1
    max_length: int = 256
    norm: str = "pre"
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2

    def __post_init__(self):
        for name in ("vocab_size", "d_model", "n_encoder_layers", "n_decoder_layers", "d_ff", "max_length"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} is not positive; use 1 or more")
        check_heads(self.d_model, self.n_heads)
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout} is not a probability below 1; use 0.1")

    def to_dict(self) -> dict:
        """A dictionary that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "TransformerConfig":
        """The configuration written by `to_dict`.

        Raises:
            ValueError: an entry is missing or is not known here (a model of another version).
        """
        names = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - names):
            raise ValueError(f"the model's configuration has {unknown[0]!r}, which this version does not know")
        if "vocab_size" not in values:
            raise ValueError("the model's configuration has no 'vocab_size'; is this a model of ours?")
        return cls(**values)


class AttentionWeights(NamedTuple):
    """Who looked at whom, a tensor a layer: encoder (B, H, S, S), decoder (B, H, T, T), cross (B, H, T, S)."""

    encoder: list[Tensor]
    decoder: list[Tensor]
    cross: list[Tensor]


class Embedding(nn.Module):
    """Token embeddings times √d_model, plus positions, then dropout (sections 3.4, 3.5 and 5.4)."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.tokens = nn.Embedding(config.vocab_size, config.d_model, padding_idx=config.pad_id)
        self.positions = SinusoidalPositions(config.max_length, config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.scale = math.sqrt(config.d_model)

    def forward(self, tokens: Int[Tensor, "B T"], start: int = 0) -> Float[Tensor, "B T D"]:
        return self.dropout(self.positions(self.tokens(tokens) * self.scale, start))


class Encoder(nn.Module):
    """A stack of encoder layers; with pre-norm, one more norm at its end."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        sizes = (config.d_model, config.n_heads, config.d_ff, config.dropout, config.norm)
        self.layers = nn.ModuleList(EncoderLayer(*sizes) for _ in range(config.n_encoder_layers))
        self.norm = LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()

    def forward(
        self,
        x: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "..."] | None = None,
        return_attention: bool = False,
    ) -> tuple[Float[Tensor, "B S D"], list[Tensor | None]]:
        attention = []
        for layer in self.layers:
            x, weights = layer(x, mask, return_attention)
            attention.append(weights)
        return self.norm(x), attention


class Decoder(nn.Module):
    """A stack of decoder layers; with pre-norm, one more norm at its end."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        sizes = (config.d_model, config.n_heads, config.d_ff, config.dropout, config.norm)
        self.layers = nn.ModuleList(DecoderLayer(*sizes) for _ in range(config.n_decoder_layers))
        self.norm = LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        memory: Float[Tensor, "B S D"] | None,
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
        cache: DecoderCache | None = None,
        return_attention: bool = False,
    ) -> tuple[Float[Tensor, "B T D"], list[Tensor | None], list[Tensor | None]]:
        own, cross = [], []
        for index, layer in enumerate(self.layers):
            layer_cache = None if cache is None else cache.layers[index]
            x, self_weights, cross_weights = layer(x, memory, mask, memory_mask, layer_cache, return_attention)
            own.append(self_weights)
            cross.append(cross_weights)
        return self.norm(x), own, cross


class Transformer(nn.Module):
    """The encoder–decoder. The output projection is the embedding, transposed (Press and Wolf 2017)."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        self.embedding = Embedding(config)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Xavier-uniform matrices (Glorot and Bengio 2010), zero biases, embeddings of variance 1/d_model."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.embedding.tokens.weight, std=self.config.d_model**-0.5)
        nn.init.zeros_(self.embedding.tokens.weight[self.config.pad_id].detach())

    def forward(
        self, src: Int[Tensor, "B S"], tgt: Int[Tensor, "B T"], return_attention: bool = False
    ) -> Float[Tensor, "B T V"] | tuple[Float[Tensor, "B T V"], AttentionWeights]:
        """Logits of the token after each target position, and every layer's attention weights if asked for."""
        source_mask = padding_mask(src, self.config.pad_id)
        memory, encoder = self.encoder(self.embedding(src), source_mask, return_attention)
        hidden, own, cross = self.decoder(
            self.embedding(tgt),
            memory,
            causal_mask(tgt.shape[1], tgt.device),
            source_mask,
            None,
            return_attention,
        )
        logits = self.project(hidden)
        return (logits, AttentionWeights(encoder, own, cross)) if return_attention else logits

    def encode(self, src: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        """The source sentence, read."""
        return self.encoder(self.embedding(src), padding_mask(src, self.config.pad_id))[0]

    def decode_hidden(
        self, tgt: Int[Tensor, "B T"], memory: Float[Tensor, "B S D"], source_mask: Bool[Tensor, "B 1 1 S"]
    ) -> Float[Tensor, "B T D"]:
        """The decoder's last vectors, before `project`: a loss that projects in pieces needs less memory."""
        mask = causal_mask(tgt.shape[1], tgt.device)
        return self.decoder(self.embedding(tgt), memory, mask, source_mask)[0]

    def project(self, hidden: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch V"]:
        """Logits over the vocabulary: how well each token's embedding agrees with the vector."""
        return nn.functional.linear(hidden, self.embedding.tokens.weight)

    def new_cache(self, memory: Float[Tensor, "B S D"], max_length: int) -> DecoderCache:
        """An empty cache for ``max_length`` target tokens, with the source's keys and values filled in."""
        layers = []
        for layer in self.decoder.layers:
            key, value = layer.cross_attention.keys_values(memory)
            layers.append(LayerCache(KeyValueCache(key, max_length), key, value))
        return DecoderCache(layers)

    def decode_step(
        self,
        tokens: Int[Tensor, "B 1"],
        cache: DecoderCache,
        source_mask: Bool[Tensor, "B 1 1 S"],
        return_attention: bool = False,
    ) -> Float[Tensor, "B V"] | tuple[Float[Tensor, "B V"], list[Tensor]]:
        """Logits of the next token after one more token; with a cache each step costs one position, not all.

        Returns also, if asked for, the cross-attention of each layer, (B, H, 1, S).
        """
        x = self.embedding(tokens, start=cache.length)
        hidden, _, cross = self.decoder(x, None, None, source_mask, cache, return_attention)
        logits = self.project(hidden[:, -1])
        return (logits, cross) if return_attention else logits
