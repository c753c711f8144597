"""Marian: the encoder–decoder of Vaswani et al. 2017, as trained for OPUS-MT (Tiedemann and Thottingal 2020)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.config import TransformerConfig
from lessons_lib.errors import UserError
from lessons_lib.families.decoder_only import extend
from lessons_lib.masks import padding_mask
from lessons_lib.transformer import Transformer

# The format's defaults; an OPUS-MT model has half of these widths and layers, scaled embeddings and "silu".
MARIAN = TransformerConfig(
    vocab_size=58_101,
    d_model=1024,
    n_heads=16,
    n_encoder_layers=12,
    n_decoder_layers=12,
    d_ff=4096,
    activation="gelu",
    max_length=1024,
    positions="sinusoidal_halves",
    norm="post",
    scaled=False,
    pad_id=58_100,
    bos_id=58_100,
    eos_id=0,
)


class Marian(Transformer):
    """A `Transformer` whose logits have a bias. Its translations begin with the padding token.

    The bias is a buffer: it is loaded, and not trained further.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        self.register_buffer("output_bias", torch.zeros(config.vocab_size))

    def project(self, hidden: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch V"]:
        """Logits over the vocabulary, with Marian's bias."""
        return super().project(hidden) + self.output_bias

    @torch.no_grad()
    def translate(self, src: Int[Tensor, "B S"], max_length: int = 512) -> Int[Tensor, "B T"]:
        """Up to ``max_length`` tokens, each the most probable one that is not padding; padding after ``</s>``.

        Raises:
            ValueError: the translation is longer than the model's ``max_length``, or its first token does not exist.
        """
        config = self.config
        if not 0 <= config.bos_id < config.vocab_size:
            raise UserError(
                f"bos_id={config.bos_id} is none of the {config.vocab_size} tokens; use pad_id={config.pad_id}"
            )
        source_mask, cache = padding_mask(src, config.pad_id), self.new_cache(self.encode(src), max_length)

        def step(tokens: Tensor) -> Tensor:
            logits = self.decode_step(tokens, cache, source_mask)
            logits[:, config.pad_id] = -torch.inf
            return logits

        beginning = torch.full_like(src[:, :1], config.bos_id)
        return extend(beginning, step, max_length, config.eos_id, config.pad_id)[:, 1:]
