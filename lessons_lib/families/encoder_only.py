"""Encoder-only: every token sees all others, to be understood and not continued. BERT (Devlin et al. 2019)."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from lessons_lib.config import TransformerConfig
from lessons_lib.errors import UserError
from lessons_lib.families.initialisation import normal_init
from lessons_lib.feedforward import ACTIVATIONS
from lessons_lib.norms import NORMS
from lessons_lib.transformer import Encoder, TokenModel


@dataclass(frozen=True)
class EncoderOnlyConfig(TransformerConfig):
    """A `TransformerConfig` without decoder, and what BERT adds.

    Attributes:
        n_token_types: kinds of tokens (first sentence, second sentence) with an embedding each; 0 for none.
        pooler: whether there is a last layer on the first token's vector.
    """

    n_decoder_layers: int = 0
    n_token_types: int = 0
    pooler: bool = False


# The base model of Devlin et al. 2019, section 3.
BERT_BASE = EncoderOnlyConfig(
    vocab_size=30_522,
    d_model=768,
    n_heads=12,
    n_encoder_layers=12,
    d_ff=3072,
    activation="gelu",
    attention_dropout=0.1,
    max_length=512,
    positions="learned",
    norm="post",
    norm_eps=1e-12,
    embedding_norm=True,
    scaled=False,
    n_token_types=2,
    pooler=True,
)


class EncoderOnly(TokenModel):
    """Token, position and token-type embeddings, and a stack of encoder layers (Devlin et al. 2019, section 3).

    Raises:
        ValueError: the configuration has a decoder, or no encoder.
    """

    def __init__(self, config: EncoderOnlyConfig):
        super().__init__(config, config.pad_id)
        if config.n_decoder_layers or not config.n_encoder_layers:
            layers = f"n_encoder_layers={config.n_encoder_layers}, n_decoder_layers={config.n_decoder_layers}"
            raise UserError(f"{layers} is not encoder-only; use 1 or more of the first and 0 of the second")
        self.output = None  # it predicts no tokens
        self.token_types = nn.Embedding(config.n_token_types, config.d_model) if config.n_token_types else None
        self.encoder = Encoder(config)
        self.pooler = nn.Linear(config.d_model, config.d_model) if config.pooler else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """`normal_init`, and the padding's embedding zero, as in `transformers`; BERT's own code has no such zeros."""
        normal_init(self)
        nn.init.zeros_(self.embedding.weight[self.config.pad_id].detach())

    def forward(
        self,
        tokens: Int[Tensor, "B S"],
        token_types: Int[Tensor, "B S"] | None = None,
        mask: Bool[Tensor, "B S"] | None = None,
    ) -> Float[Tensor, "B S D"]:
        """A vector for every token.

        Args:
            token_types: which sentence a token belongs to; the first one unless given.
            mask: True for real tokens; those that are not ``pad_id`` unless given.

        Raises:
            ValueError: there are ``token_types``, but the model has none.
        """
        x = self.embed(tokens)
        if self.token_types is not None:
            x = x + self.token_types(torch.zeros_like(tokens) if token_types is None else token_types)
        elif token_types is not None:
            raise UserError("n_token_types=0: this model has no token types; leave token_types out")
        mask = tokens != self.config.pad_id if mask is None else mask
        return self.encoder(x, mask[:, None, None, :])

    def pooled(self, hidden: Float[Tensor, "B S D"]) -> Float[Tensor, "B D"]:
        """tanh of a linear map of the first token's vector, which stands for the sentence (Devlin et al. 2019).

        Raises:
            ValueError: the model has no pooler.
        """
        if self.pooler is None:
            raise UserError("pooler=False: this model has no pooler; use sentence_embedding")
        return self.pooler(hidden[:, 0]).tanh()


def sentence_embedding(hidden: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]) -> Float[Tensor, "B D"]:
    """The mean of the real tokens' vectors, brought to length 1 (Reimers and Gurevych 2019, section 3).

    The product of two of them is the cosine of their angle. A row without real tokens gets zeros.
    """
    total = (hidden * mask[:, :, None]).sum(dim=1)  # (B, S, D) -> (B, D); dividing by the count is left to the norm
    return nn.functional.normalize(total, dim=-1)


class MaskedLanguageModel(nn.Module):
    """BERT with the head it was trained with: what stood where ``[MASK]`` stands? (Devlin et al. 2019, section 3.1).

    The output projection is the embedding, plus a bias a token.

    Raises:
        ValueError: the configuration has ``tied=False``.
    """

    def __init__(self, config: EncoderOnlyConfig):
        super().__init__()
        if not config.tied:
            raise UserError("tied=False: this head projects with the embedding; use tied=True")
        self.encoder = EncoderOnly(config)
        self.head = MaskedLanguageHead(config)

    def forward(
        self,
        tokens: Int[Tensor, "B S"],
        token_types: Int[Tensor, "B S"] | None = None,
        mask: Bool[Tensor, "B S"] | None = None,
    ) -> Float[Tensor, "B S V"]:
        """Logits of the token at each position; the arguments are those of `EncoderOnly`."""
        return self.head(self.encoder(tokens, token_types, mask), self.encoder.embedding.weight)


class MaskedLanguageHead(nn.Module):
    """One more layer and norm, then the product with every token's embedding."""

    def __init__(self, config: EncoderOnlyConfig):
        super().__init__()
        self.transform = nn.Linear(config.d_model, config.d_model)
        self.activation, _ = ACTIVATIONS[config.activation]
        self.norm = NORMS[config.norm_type](config.d_model, config.norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        normal_init(self)

    def forward(self, hidden: Float[Tensor, "*batch D"], embedding: Float[Tensor, "V D"]) -> Float[Tensor, "*batch V"]:
        hidden = self.norm(self.activation(self.transform(hidden)))
        return nn.functional.linear(hidden, embedding, self.bias)
