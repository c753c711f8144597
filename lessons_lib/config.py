"""Everything that fixes the shape of a model, in one place that JSON can hold."""

from dataclasses import asdict, dataclass, fields
from typing import get_type_hints

from lessons_lib.attention import check_heads
from lessons_lib.errors import UserError
from lessons_lib.feedforward import ACTIVATIONS
from lessons_lib.norms import NORMS
from lessons_lib.positions import POSITIONS

CHOICES = {
    "norm": ("pre", "post"),
    "norm_type": tuple(NORMS),
    "activation": tuple(ACTIVATIONS),
    "positions": tuple(POSITIONS),
    "bias": ("all", "qkv", "none"),
}


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes of a model and its choices; lengths are in tokens.

    The defaults are the published model's, made small, but for the norm, which stands in front of each sub-layer.

    Attributes:
        n_heads, n_kv_heads, d_head: query heads; key and value heads if fewer (Ainslie et al. 2023); the width of
            each, ``d_model / n_heads`` unless given.
        n_encoder_layers, n_decoder_layers: with 0 of the second the model is encoder-only, with 0 of the first
            decoder-only (`lessons_lib.families`).
        positions: a name in `lessons_lib.positions.POSITIONS`.
        rope_base: the base θ of rotary positions; a larger one turns more slowly, and tells longer distances apart.
        norm, norm_type: where the norm stands ("pre", "post"), and which it is ("layer", "rms").
        embedding_norm: one more norm, on the embeddings (Devlin et al. 2019).
        bias: which matrices have one: "all", "qkv" (those that make queries, keys and values) or "none".
        tied, scaled: whether the output projection is the embedding (Press and Wolf 2017), and whether embeddings are
            multiplied by √d_model (Vaswani et al. 2017, section 3.4).

    Raises:
        ValueError: a size is not positive, heads do not divide, a choice is unknown, or dropout is not in [0, 1).
    """

    vocab_size: int
    d_model: int = 256
    n_heads: int = 4
    n_kv_heads: int | None = None
    d_head: int | None = None
    n_encoder_layers: int = 3
    n_decoder_layers: int = 3
    d_ff: int = 1024
    activation: str = "relu"
    dropout: float = 0.1
    attention_dropout: float = 0.0
    max_length: int = 256
    positions: str = "sinusoidal"
    rope_base: float = 10_000.0
    norm: str = "pre"
    norm_type: str = "layer"
    norm_eps: float = 1e-5
    embedding_norm: bool = False
    bias: str = "all"
    tied: bool = True
    scaled: bool = True
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2

    def __post_init__(self):
        for name in ("vocab_size", "d_model", "d_ff", "max_length"):
            if getattr(self, name) < 1:
                raise UserError(f"{name}={getattr(self, name)} is not positive; use 1 or more")
        if self.n_encoder_layers < 0 or self.n_decoder_layers < 0 or self.n_encoder_layers + self.n_decoder_layers < 1:
            layers = f"n_encoder_layers={self.n_encoder_layers}, n_decoder_layers={self.n_decoder_layers}"
            raise UserError(f"{layers}: one of them must be 1 or more, and neither negative")
        check_heads(self.d_model, self.n_heads, self.n_kv_heads, self.d_head)
        for name in ("dropout", "attention_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"{name}={getattr(self, name)} is not a probability below 1; use 0.1")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise UserError(f"{name}={getattr(self, name)!r} is not known; use one of {', '.join(choices)}")

    @property
    def head_width(self) -> int:
        """The width of a head."""
        return self.d_head or self.d_model // self.n_heads

    def to_dict(self) -> dict:
        """A dictionary that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "TransformerConfig":
        """The configuration written by `to_dict`.

        Raises:
            ValueError: an entry is missing, is not known here (a model of another version), or is of another type.
        """
        names = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - names):
            raise UserError(f"the model's configuration has {unknown[0]!r}, which this version does not know")
        if "vocab_size" not in values:
            raise UserError("the model's configuration has no 'vocab_size'; is this a model of ours?")
        hints = get_type_hints(cls)
        for name, value in values.items():
            kind = hints[name]
            if not isinstance(value, int | float if kind is float else kind):
                wanted = getattr(kind, "__name__", kind)
                raise UserError(f"the model's configuration has {name}={value!r}, where {wanted} should stand")
        return cls(**values)
