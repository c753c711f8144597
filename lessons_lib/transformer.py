"""The Transformer: an encoder, a decoder, one embedding for both and for the output (Vaswani et al. 2017)."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from lessons_lib.attention import recorded_attention
from lessons_lib.blocks import DecoderLayer, EncoderLayer
from lessons_lib.cache import DecoderCache, KeyValueCache, LayerCache
from lessons_lib.config import TransformerConfig
from lessons_lib.dropout import Dropout
from lessons_lib.errors import UserError
from lessons_lib.masks import causal_mask, padding_mask
from lessons_lib.norms import NORMS
from lessons_lib.positions import POSITIONS


class AttentionWeights(NamedTuple):
    """Who looked at whom, a tensor a layer: encoder (B, H, S, S), decoder (B, H, T, T), cross (B, H, T, S)."""

    encoder: list[Tensor]
    decoder: list[Tensor]
    cross: list[Tensor]


class _Stack(nn.Module):
    """What encoder and decoder share: positions, dropout on the embeddings (section 5.4), layers, the last norm."""

    def __init__(self, config: TransformerConfig, layer: type[nn.Module], n_layers: int, causal: bool):
        super().__init__()
        self.positions = POSITIONS[config.positions](config, causal)
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(layer(config) for _ in range(n_layers))
        # Pre-norm leaves the sum of all sub-layers without a norm of its own, so the stack ends with one.
        self.norm = _norm(config) if config.norm == "pre" else nn.Identity()
        self.embedding_norm = _norm(config) if config.embedding_norm else nn.Identity()

    def enter(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        """Embeddings, told their positions, ready for the first layer; in mixed precision with bf16, in bf16."""
        x, device = self.embedding_norm(self.positions.add(x, start)), x.device.type
        mixed = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
        return self.dropout(x.bfloat16() if mixed and torch.get_autocast_dtype(device) == torch.bfloat16 else x)


def _norm(config: TransformerConfig) -> nn.Module:
    return NORMS[config.norm_type](config.d_model, config.norm_eps)


class Encoder(_Stack):
    """Embeddings in, vectors that know their neighbours out."""

    def __init__(self, config: TransformerConfig):
        super().__init__(config, EncoderLayer, config.n_encoder_layers, causal=False)

    def forward(self, x: Float[Tensor, "B S D"], mask: Bool[Tensor, "..."] | None = None) -> Float[Tensor, "B S D"]:
        positions, x = self.positions.for_attention(x.shape[1]), self.enter(x)
        for layer in self.layers:
            x = layer(x, mask, positions)
        return self.norm(x)


class Decoder(_Stack):
    """Embeddings of the beginning in, vectors that predict the next token out."""

    def __init__(self, config: TransformerConfig):
        super().__init__(config, DecoderLayer, config.n_decoder_layers, causal=True)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        memory: Float[Tensor, "B S D"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
        cache: DecoderCache | None = None,
    ) -> Float[Tensor, "B T D"]:
        start = 0 if cache is None else cache.length
        positions, x = self.positions.for_attention(x.shape[1], start), self.enter(x, start)
        for layer, past in zip(self.layers, [None] * len(self.layers) if cache is None else cache.layers, strict=True):
            x = layer(x, memory, mask, memory_mask, positions, past)
        return self.norm(x)

    def new_cache(self, batch: int, max_length: int, memory: Float[Tensor, "B S D"] | None = None) -> DecoderCache:
        """An empty cache for ``max_length`` tokens, with the source's keys and values filled in, if there is one."""
        layers = []
        for layer in self.layers:
            weight, attention = layer.attention.key.weight, layer.attention
            n_kv_heads = len(weight) // attention.d_head
            # Read at every step: each head's rows in a row.
            source = (
                memory if memory is None else tuple(x.contiguous() for x in layer.cross_attention.keys_values(memory))
            )
            dtype = weight if source is None else source[0]
            layers.append(LayerCache(KeyValueCache(batch, n_kv_heads, max_length, attention.d_head, dtype), source))
        return DecoderCache(layers)


class TokenModel(nn.Module):
    """What models of tokens share: an embedding on the way in, and its transpose, or another matrix, on the way out."""

    def __init__(self, config: TransformerConfig, padding_idx: int | None = None):
        super().__init__()
        self.config = config
        if padding_idx is not None and not 0 <= padding_idx < config.vocab_size:
            raise UserError(f"pad_id={padding_idx} is none of the {config.vocab_size} tokens; use one of them")
        self.embedding = nn.Embedding(config.vocab_size, config.d_model, padding_idx=padding_idx)
        self.output = None if config.tied else nn.Linear(config.d_model, config.vocab_size, bias=False)

    def embed(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """Token embeddings, times √d_model (section 3.4)."""
        return self.embedding(tokens) * (math.sqrt(self.config.d_model) if self.config.scaled else 1.0)

    @property
    def output_weight(self) -> Float[Tensor, "V D"]:
        """A row a token; the embedding itself if they are tied (Press and Wolf 2017)."""
        return self.embedding.weight if self.output is None else self.output.weight

    def project(self, hidden: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch V"]:
        """Logits over the vocabulary: how well each token's row agrees with the vector."""
        return nn.functional.linear(hidden, self.output_weight)


class Transformer(TokenModel):
    """The encoder–decoder."""

    def __init__(self, config: TransformerConfig):
        super().__init__(config, config.pad_id)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Xavier-uniform matrices (Glorot and Bengio 2010), zero biases, embeddings of variance 1/d_model."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.embedding.weight, std=self.config.d_model**-0.5)
        nn.init.zeros_(self.embedding.weight[self.config.pad_id].detach())

    def forward(
        self, src: Int[Tensor, "B S"], tgt: Int[Tensor, "B T"], return_attention: bool = False
    ) -> Float[Tensor, "B T V"] | tuple[Float[Tensor, "B T V"], AttentionWeights]:
        """Logits of the token after each target position, and every layer's attention weights if asked for."""
        if return_attention:
            with recorded_attention(self) as weights:
                logits = self(src, tgt)
            return logits, _by_layer(weights)
        source_mask = padding_mask(src, self.config.pad_id)
        return self.project(self.decode_hidden(tgt, self.encode(src), source_mask))

    def encode(self, src: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        """The source sentence, read."""
        return self.encoder(self.embed(src), padding_mask(src, self.config.pad_id))

    def decode_hidden(
        self, tgt: Int[Tensor, "B T"], memory: Float[Tensor, "B S D"], source_mask: Bool[Tensor, "B 1 1 S"]
    ) -> Float[Tensor, "B T D"]:
        """The decoder's last vectors, before `project`: a loss that projects in pieces needs less memory."""
        return self.decoder(self.embed(tgt), memory, causal_mask(tgt.shape[1], tgt.device), source_mask)

    def new_cache(self, memory: Float[Tensor, "B S D"], max_length: int) -> DecoderCache:
        """An empty cache for ``max_length`` target tokens, with the source's keys and values filled in."""
        return self.decoder.new_cache(len(memory), max_length, memory)

    def decode_step(
        self, tokens: Int[Tensor, "B 1"], cache: DecoderCache, source_mask: Bool[Tensor, "B 1 1 S"]
    ) -> Float[Tensor, "B V"]:
        """Logits of the next token after one more token; with a cache each step costs one position, not all."""
        hidden = self.decoder(self.embed(tokens), memory_mask=source_mask, cache=cache)
        return self.project(hidden[:, -1])


def _by_layer(weights: dict[str, Tensor]) -> AttentionWeights:
    cross = [x for name, x in weights.items() if "cross" in name]
    encoder = [x for name, x in weights.items() if name.startswith("encoder")]
    decoder = [x for name, x in weights.items() if name.startswith("decoder") and "cross" not in name]
    return AttentionWeights(encoder, decoder, cross)
