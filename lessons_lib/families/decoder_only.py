"""Decoder-only: every token sees those before it, and predicts the next. GPT-2 and Llama."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.cache import DecoderCache
from lessons_lib.config import TransformerConfig
from lessons_lib.errors import UserError
from lessons_lib.families.initialisation import normal_init, shrink_residual_init
from lessons_lib.masks import causal_mask
from lessons_lib.transformer import Decoder, TokenModel

# The smallest model of Radford et al. 2019, table 2.
GPT2_SMALL = TransformerConfig(
    vocab_size=50_257,
    d_model=768,
    n_heads=12,
    n_encoder_layers=0,
    n_decoder_layers=12,
    d_ff=3072,
    activation="gelu_tanh",
    attention_dropout=0.1,
    max_length=1024,
    positions="learned",
    norm="pre",
    scaled=False,
    bos_id=50_256,
    eos_id=50_256,
)

# The smallest model of Touvron et al. 2023, table 2.
LLAMA_7B = TransformerConfig(
    vocab_size=32_000,
    d_model=4096,
    n_heads=32,
    n_encoder_layers=0,
    n_decoder_layers=32,
    d_ff=11_008,
    activation="swiglu",
    dropout=0.0,
    max_length=2048,
    positions="rope",
    norm="pre",
    norm_type="rms",
    norm_eps=1e-6,
    bias="none",
    tied=False,
    scaled=False,
)


class DecoderOnly(TokenModel):
    """A language model: embeddings, decoder layers without cross-attention, the output projection.

    All rows of a batch have one length: nothing is taken for padding.

    Raises:
        ValueError: the configuration has an encoder.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        if config.n_encoder_layers:
            raise UserError(f"n_encoder_layers={config.n_encoder_layers} is not decoder-only; use 0")
        self.decoder = Decoder(config)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As GPT-2: normal with deviation 0.02, smaller on the residual path (Radford et al. 2019, section 2.3)."""
        normal_init(self)
        shrink_residual_init(self.decoder.layers)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Logits of the token after each position."""
        mask = causal_mask(tokens.shape[1], tokens.device)
        return self.project(self.decoder(self.embed(tokens), mask=mask))

    def new_cache(self, batch: int, max_length: int) -> DecoderCache:
        """An empty cache for ``max_length`` tokens."""
        return self.decoder.new_cache(batch, max_length)

    def decode_step(self, tokens: Int[Tensor, "B T"], cache: DecoderCache) -> Float[Tensor, "B V"]:
        """Logits of the next token: first give the whole prompt, then one token at a time.

        Raises:
            ValueError: the tokens do not fit the cache, or the model's ``max_length``.
        """
        length = tokens.shape[1]
        # One new token may see all that the cache holds; of several, each only those up to itself.
        mask = None if length == 1 else causal_mask(cache.length + length, tokens.device)[cache.length :]
        hidden = self.decoder(self.embed(tokens), mask=mask, cache=cache)
        return self.project(hidden[:, -1])

    @torch.no_grad()
    def generate(self, prompt: Int[Tensor, "B T"], n_tokens: int, eos_id: int | None = None) -> Int[Tensor, "B T2"]:
        """The prompt and up to ``n_tokens`` more, each the most probable one.

        Args:
            eos_id: ends a row, which is filled up with it; the generation ends with the last row. None: no end.

        Raises:
            ValueError: prompt and continuation are longer than the model's ``max_length``.
        """
        cache = self.new_cache(len(prompt), prompt.shape[1] + n_tokens)
        return extend(prompt, lambda tokens: self.decode_step(tokens, cache), n_tokens, eos_id, eos_id)


def extend(
    beginning: Int[Tensor, "B T"],
    step: Callable[[Tensor], Tensor],
    n_tokens: int,
    eos_id: int | None,
    filler: int | None,
) -> Int[Tensor, "B T2"]:
    """The beginning and up to ``n_tokens`` more, each the most probable one.

    Args:
        step: takes the tokens that are new, (B, T) and then (B, 1), and returns the next token's logits (B, V).
        eos_id, filler: what ends a row, if anything does, and what follows it there.
    """
    written, tokens = [beginning], beginning
    ended = torch.zeros_like(beginning[:, :1], dtype=torch.bool)
    for _ in range(n_tokens):
        tokens = step(tokens).argmax(dim=-1, keepdim=True)
        if eos_id is not None:
            tokens = tokens.masked_fill(ended, filler)
            ended = ended | (tokens == eos_id)
        written.append(tokens)
        if ended.all():
            break
    return torch.cat(written, dim=1)
