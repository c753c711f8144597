"""Lesson 10: the right counts, and the ways in which they go wrong, each as a version of the reference."""

from collections.abc import Callable
from dataclasses import dataclass

GIB, GB = 2**30, 10**9
Wrong = tuple[str, Callable[..., int]]  # the sentence, and the count that makes the mistake


@dataclass(frozen=True)
class Shape:
    """The arguments of `count_parameters`, and the sizes of the parts."""

    vocab_size: int
    d_model: int
    d_ff: int
    n_encoder_layers: int
    n_decoder_layers: int
    n_positions: int = 0
    tied: bool = True
    bias: bool = True

    @property
    def stacks(self) -> int:
        return (self.n_encoder_layers > 0) + (self.n_decoder_layers > 0)

    @property
    def layers(self) -> int:
        return self.n_encoder_layers + self.n_decoder_layers

    @property
    def cross(self) -> int:
        """Layers with a second attention."""
        return self.n_decoder_layers if self.n_encoder_layers else 0

    @property
    def embedding(self) -> int:
        return self.vocab_size * self.d_model

    @property
    def attention_bias(self) -> int:
        return 4 * self.d_model * self.bias

    @property
    def attention(self) -> int:
        return 4 * self.d_model**2 + self.attention_bias

    @property
    def feed_forward_bias(self) -> int:
        return (self.d_ff + self.d_model) * self.bias

    @property
    def feed_forward(self) -> int:
        return 2 * self.d_model * self.d_ff + self.feed_forward_bias

    @property
    def norm(self) -> int:
        return 2 * self.d_model

    @property
    def norms(self) -> int:
        """How many there are."""
        return 2 * self.layers + self.cross + self.stacks

    @property
    def positions(self) -> int:
        return self.stacks * self.n_positions * self.d_model

    @property
    def output(self) -> int:
        return self.embedding if self.n_decoder_layers and not self.tied else 0

    @property
    def right(self) -> int:
        """All of it (Vaswani et al. 2017, section 3, with norms before each sub-layer and one more at the end)."""
        layers = self.layers * (self.attention + self.feed_forward) + self.cross * self.attention
        return self.embedding + self.positions + layers + self.norms * self.norm + self.output


WRONG_SHAPES: list[Wrong] = [
    (
        "The tied embedding is counted twice: with tied=True the output projection is the embedding.",
        lambda s: s.right + s.embedding,
    ),
    (
        "The table of embeddings is missing: vocab_size · d_model numbers.",
        lambda s: s.right - s.embedding,
    ),
    (
        "The biases are missing, though bias=True: one number for each column of each matrix.",
        lambda s: s.right - s.layers * (s.attention_bias + s.feed_forward_bias) - s.cross * s.attention_bias,
    ),
    (
        "4 · d_model numbers a layer are missing: the four biases of the attention, or the two norms?",
        lambda s: s.right - (s.layers + s.cross) * s.attention_bias,
    ),
    (
        "The biases of the feed-forward network are missing: one of d_ff numbers, one of d_model.",
        lambda s: s.right - s.layers * s.feed_forward_bias,
    ),
    (
        "The second bias of the feed-forward network, of d_model numbers, is missing.",
        lambda s: s.right - s.bias * s.layers * s.d_model,
    ),
    (
        "The first bias of the feed-forward network, of d_ff numbers, is missing.",
        lambda s: s.right - s.bias * s.layers * s.d_ff,
    ),
    (
        "An attention has four biases, one for each of its matrices; only one is counted.",
        lambda s: s.right - s.bias * (s.layers + s.cross) * 3 * s.d_model,
    ),
    (
        "An encoder layer has two sub-layers with a norm before each; only one norm is counted.",
        lambda s: s.right - s.n_encoder_layers * s.norm,
    ),
    (
        "Both biases of the feed-forward network have d_model numbers; the first has d_ff, the width that it makes.",
        lambda s: s.right - s.bias * s.layers * (s.d_ff - s.d_model),
    ),
    (
        "Both biases of the feed-forward network have d_ff numbers; the second has d_model, the width that comes out.",
        lambda s: s.right + s.layers * (s.d_ff - s.d_model),
    ),
    (
        "The output projection gets a bias of vocab_size numbers; it has none.",
        lambda s: s.right + s.vocab_size,
    ),
    (
        "With tied=False the output projection gets a bias of vocab_size numbers; it never has one.",
        lambda s: s.right + s.vocab_size * s.bias * (s.output > 0),
    ),
    (
        "An attention has four matrices: W_O is missing.",
        lambda s: s.right - (s.layers + s.cross) * s.attention // 4,
    ),
    (
        "An attention has four matrices, as it has four biases; only three matrices are counted.",
        lambda s: s.right - (s.layers + s.cross) * s.d_model**2,
    ),
    (
        "The feed-forward network has two matrices, d_model · d_ff and d_ff · d_model; one is missing.",
        lambda s: s.right - s.layers * s.d_model * s.d_ff,
    ),
    (
        "The feed-forward network is taken to be 4 · d_model wide; its width is d_ff.",
        lambda s: s.right + s.layers * (2 * s.d_model + s.bias) * (4 * s.d_model - s.d_ff),
    ),
    (
        "The norms are missing: each has γ and β, d_model numbers each.",
        lambda s: s.right - s.norms * s.norm,
    ),
    (
        "A LayerNorm has two vectors, γ and β; only one is counted.",
        lambda s: s.right - s.norms * s.d_model,
    ),
    (
        "The last norm of a stack is missing.",
        lambda s: s.right - s.stacks * s.norm,
    ),
    (
        "A layer has a norm for each sub-layer; only one a layer is counted.",
        lambda s: s.right - (s.layers + s.cross) * s.norm,
    ),
    (
        "Only one layer is counted: multiply by the number of layers.",
        lambda s: s.right - (s.layers - s.stacks) * (s.attention + s.feed_forward + 2 * s.norm),
    ),
    (
        "A decoder-only model gets cross-attention, but there is no encoder that it could read.",
        lambda s: s.right + (s.n_decoder_layers if not s.n_encoder_layers else 0) * (s.attention + s.norm),
    ),
    (
        "The model without encoder gets the last norm of an encoder.",
        lambda s: s.right + (2 - s.stacks) * s.norm,
    ),
    (
        "The numbers of layers are exchanged: n_decoder_layers is multiplied with the size of a decoder layer.",
        lambda s: (
            s.right
            + (s.n_encoder_layers - s.n_decoder_layers) * (s.attention + s.norm) * (s.stacks == 2)
            + (s.n_encoder_layers * (s.attention + s.norm) if not s.n_decoder_layers else 0)
        ),
    ),
    (
        "The table of positions is missing: n_positions · d_model numbers a stack.",
        lambda s: s.right - s.positions,
    ),
    (
        "The table of positions is counted without its width: it has d_model numbers a position.",
        lambda s: s.right - s.positions + s.stacks * s.n_positions,
    ),
    (
        "The table of positions is counted in every layer; a stack has one, below its first layer.",
        lambda s: s.right + (s.layers - s.stacks) * s.n_positions * s.d_model,
    ),
    (
        "Encoder and decoder have a table of positions each; only one is counted.",
        lambda s: s.right - (s.stacks - 1) * s.n_positions * s.d_model,
    ),
    (
        "The decoder's cross-attention is missing: a second attention in each decoder layer, with a norm.",
        lambda s: s.right - s.cross * (s.attention + s.norm),
    ),
    (
        "The cross-attention is there, but not the norm that belongs to it: a decoder layer has three.",
        lambda s: s.right - s.cross * s.norm,
    ),
    (
        "The cross-attention is counted once; each decoder layer has one of its own.",
        lambda s: s.right - max(0, s.cross - 1) * (s.attention + s.norm),
    ),
    (
        "The norm of the cross-attention is there, but not the cross-attention itself.",
        lambda s: s.right - s.cross * s.attention,
    ),
    (
        "Encoder and decoder have a last norm each; only one is counted.",
        lambda s: s.right - (s.stacks - 1) * s.norm,
    ),
    (
        "Encoder and decoder get an embedding each; one table serves both.",
        lambda s: s.right + (s.stacks - 1) * s.embedding,
    ),
    (
        "The encoder's layers get a cross-attention too; only the decoder's have one.",
        lambda s: s.right + (s.n_encoder_layers if s.cross else 0) * (s.attention + s.norm),
    ),
    (
        "With tied=False the output projection has a matrix of its own, vocab_size · d_model; it is missing.",
        lambda s: s.right - s.output,
    ),
    (
        "A model without decoder predicts no tokens: it has no output projection, tied or not.",
        lambda s: s.right + (0 if s.tied or s.n_decoder_layers else s.embedding),
    ),
    (
        "With bias=False the matrices have no biases; they are counted.",
        lambda s: s.right + (not s.bias) * ((s.layers + s.cross) * 4 * s.d_model + s.layers * (s.d_ff + s.d_model)),
    ),
    (
        "With bias=False the norms keep their β: only the matrices lose their biases.",
        lambda s: s.right - (not s.bias) * s.norms * s.d_model,
    ),
    (
        "With bias=False only the attention loses its biases; the feed-forward network has two as well.",
        lambda s: s.right + (not s.bias) * s.layers * (s.d_ff + s.d_model),
    ),
    (
        "With bias=False only the feed-forward network loses its biases; each attention has four as well.",
        lambda s: s.right + (not s.bias) * (s.layers + s.cross) * 4 * s.d_model,
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_SHAPES: list[Wrong] = [
    (
        "A stack without layers gets a last norm and a table of positions; only a stack that has layers has them.",
        lambda s: s.right + (2 - s.stacks) * (s.norm + s.n_positions * s.d_model),
    ),
]


@dataclass(frozen=True)
class Cache:
    """The arguments of `cache_bytes`."""

    d_model: int
    n_heads: int
    n_layers: int
    batch: int
    length: int
    n_kv_heads: int | None = None
    source_length: int = 0
    bytes_a_number: int = 2

    @property
    def d_head(self) -> int:
        return self.d_model // self.n_heads

    @property
    def width(self) -> int:
        """Of the keys of one token."""
        return (self.n_kv_heads or self.n_heads) * self.d_head

    @property
    def right(self) -> int:
        """Keys and values of all layers (Shazeer 2019, section 3; Ainslie et al. 2023)."""
        tokens = self.batch * (self.length + self.source_length)
        return 2 * self.n_layers * tokens * self.width * self.bytes_a_number


WRONG_CACHES: list[Wrong] = [
    (
        "Keys or values, one of them is missing: a cache holds both.",
        lambda c: c.right // 2,
    ),
    (
        "One layer only: every layer has keys and values of its own.",
        lambda c: c.right // c.n_layers,
    ),
    (
        "One sequence only: every sequence of the batch has its own.",
        lambda c: c.right // c.batch,
    ),
    (
        "One token only: the cache grows with each, to `length` of them.",
        lambda c: 2 * c.n_layers * c.batch * c.width * c.bytes_a_number if c.length else 0,
    ),
    (
        "The queries are counted too; only keys and values are read again.",
        lambda c: c.right * 3 // 2,
    ),
    (
        "One head only: d_head numbers for each of the heads.",
        lambda c: c.right * c.d_head // c.width,
    ),
    (
        "Keys and values are counted d_model wide for every head; a head is d_model // n_heads wide.",
        lambda c: c.right * c.n_heads,
    ),
    (
        "The widths of the heads are missing: d_head = d_model // n_heads numbers for each head.",
        lambda c: c.right // c.d_head,
    ),
    (
        "These are the attention weights, a number for each pair of tokens; a cache holds keys and values.",
        lambda c: c.n_layers * c.batch * c.n_heads * c.length**2 * c.bytes_a_number,
    ),
    (
        "This counts the numbers; each of them takes bytes_a_number bytes.",
        lambda c: c.right // c.bytes_a_number,
    ),
    (
        "These are bits; a byte has eight of them.",
        lambda c: c.right * 8,
    ),
    (
        "A number is always taken to have 2 bytes; use bytes_a_number.",
        lambda c: c.right // c.bytes_a_number * 2,
    ),
    (
        "A number is always taken to have 4 bytes; use bytes_a_number.",
        lambda c: c.right // c.bytes_a_number * 4,
    ),
    (
        "With n_kv_heads a token's keys have n_kv_heads · d_head numbers (d_head = d_model // n_heads), not d_model.",
        lambda c: 2 * c.n_layers * c.batch * (c.length + c.source_length) * c.d_model * c.bytes_a_number,
    ),
    (
        "The cache shrinks by n_kv_heads, but there are n_kv_heads groups: it shrinks by n_heads // n_kv_heads.",
        lambda c: (
            2
            * c.n_layers
            * c.batch
            * (c.length + c.source_length)
            * (c.d_model // (c.n_kv_heads or 1))
            * c.bytes_a_number
        ),
    ),
    (
        "Only the keys are shared by groups, but the values are shared as well.",
        lambda c: c.n_layers * c.batch * (c.length + c.source_length) * (c.d_model + c.width) * c.bytes_a_number,
    ),
    (
        "The keys and values of the source are missing: the cross-attention of each layer keeps source_length of them.",
        lambda c: 2 * c.n_layers * c.batch * c.length * c.width * c.bytes_a_number,
    ),
    (
        "The source is kept once for all layers; each layer makes its own keys and values of it.",
        lambda c: 2 * c.batch * (c.n_layers * c.length + c.source_length) * c.width * c.bytes_a_number,
    ),
    (
        "Of the source one vector a token is kept; each layer keeps a key and a value.",
        lambda c: c.n_layers * c.batch * (2 * c.length + c.source_length) * c.width * c.bytes_a_number,
    ),
    (
        "The source of one sequence only is counted; each of the batch has its own.",
        lambda c: 2 * c.n_layers * (c.batch * c.length + c.source_length) * c.width * c.bytes_a_number,
    ),
    (
        "The source's keys and values are counted for n_heads heads; with n_kv_heads it has only so many, too.",
        lambda c: (
            2 * c.n_layers * c.batch * (c.length * c.width + c.source_length * c.n_heads * c.d_head) * c.bytes_a_number
        ),
    ),
    (
        "This is in KiB; bytes are due.",
        lambda c: c.right // 1024,
    ),
    (
        "Only the source is counted, or only what was written; both have keys and values.",
        lambda c: 2 * c.n_layers * c.batch * (c.source_length or c.length) * c.width * c.bytes_a_number,
    ),
]


@dataclass(frozen=True)
class Machine:
    """The arguments of `largest_batch`."""

    memory_gib: int
    n_parameters: int
    bytes_a_sequence: int
    weight_bytes: int = 2
    training: bool = False

    @property
    def a_parameter(self) -> int:
        """Bytes; in training with a gradient, AdamW's two states and, of 16-bit weights, a copy (4 bytes each)."""
        copy = 4 * (self.weight_bytes < 4)
        return 2 * self.weight_bytes + 8 + copy if self.training else self.weight_bytes

    def fitting(self, a_parameter: int | None = None, memory: int | None = None) -> int:
        """How many sequences fit if a parameter takes so many bytes."""
        a_parameter = self.a_parameter if a_parameter is None else a_parameter
        memory = self.memory_gib * GIB if memory is None else memory
        return max(0, memory - a_parameter * self.n_parameters) // self.bytes_a_sequence

    def trained(self, a_parameter: int) -> int:
        """The same, if that is so in training alone."""
        return self.fitting(a_parameter if self.training else None)

    @property
    def right(self) -> int:
        return self.fitting()


WRONG_MACHINES: list[Wrong] = [
    (
        "A GiB is taken for 10⁹ bytes; it is 2³⁰, 7 % more.",
        lambda m: m.fitting(memory=m.memory_gib * GB),
    ),
    (
        "A GiB is taken for 2²⁰ bytes, which is a MiB; it is 2³⁰.",
        lambda m: m.fitting(memory=m.memory_gib * 2**20),
    ),
    (
        "The model itself is missing: its weights take memory before the first sequence comes.",
        lambda m: m.fitting(0),
    ),
    (
        "A parameter is taken for one byte; it takes weight_bytes.",
        lambda m: m.fitting(1),
    ),
    (
        "Every sequence brings the weights along; they are there once, for all of them.",
        lambda m: m.memory_gib * GIB // (m.a_parameter * m.n_parameters + m.bytes_a_sequence),
    ),
    (
        "Rounded up: a sequence that fits in part does not fit.",
        lambda m: -((m.a_parameter * m.n_parameters - m.memory_gib * GIB) // m.bytes_a_sequence),
    ),
    (
        "If not even the model fits, the answer is 0, and not negative.",
        lambda m: (m.memory_gib * GIB - m.a_parameter * m.n_parameters) // m.bytes_a_sequence,
    ),
    (
        "A number is always taken to have 2 bytes; use weight_bytes.",
        lambda m: m.fitting(16 if m.training else 2),
    ),
    (
        "A number is always taken to have 4 bytes; use weight_bytes.",
        lambda m: m.fitting(16 if m.training else 4),
    ),
    (
        "With training=True nothing changes; gradients and AdamW's states are missing.",
        lambda m: m.trained(m.weight_bytes),
    ),
    (
        "As if there were weights and gradients alone: AdamW keeps two more numbers a parameter.",
        lambda m: m.trained(2 * m.weight_bytes),
    ),
    (
        "As if a float32 parameter took 12 bytes: of weight, gradient and AdamW's two states one is missing.",
        lambda m: m.trained(12 if m.weight_bytes == 4 else 16),
    ),
    (
        "A copy of the weights is counted, though they are in float32 already; or 4 bytes of something else "
        "are counted once more (weights, gradient, a state).",
        lambda m: m.trained(2 * m.weight_bytes + 12),
    ),
    (
        "As if a 16-bit parameter took 12 bytes: the float32 copy of the weights is missing, or its states have 2.",
        lambda m: m.trained(12 if m.weight_bytes == 2 else 16),
    ),
    (
        "AdamW's states are counted in the type of the weights; they are in float32, 4 bytes, and so is a copy.",
        lambda m: m.trained(4 * m.weight_bytes),
    ),
    (
        "The gradients are counted in float32; they have the type of the weights.",
        lambda m: m.trained(m.weight_bytes + 4 + 8 + 4 * (m.weight_bytes < 4)),
    ),
    (
        "The memory of the weights is rounded to whole GiB; count in bytes, and round once, at the end.",
        lambda m: m.fitting(1, m.memory_gib * GIB - round(m.a_parameter * m.n_parameters / GIB) * GIB + m.n_parameters),
    ),
    (
        "One sequence less than fits is promised.",
        lambda m: max(0, m.fitting() - 1),
    ),
    (
        "A sequence that just fits is left out: up to the last byte it fits.",
        lambda m: max(0, m.memory_gib * GIB - m.a_parameter * m.n_parameters - 1) // m.bytes_a_sequence,
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_MACHINES: list[Wrong] = [
    (
        "A GiB is taken for 1,000 MiB; it is 1,024 of them, 2³⁰ bytes.",
        lambda m: m.fitting(memory=m.memory_gib * 1000 * 2**20),
    ),
    (
        "In training a parameter always takes 16 bytes here; weight and gradient have weight_bytes each.",
        lambda m: m.trained(16),
    ),
    (
        "Weights of 2 bytes have a float32 copy here, those of 1 byte none: all have one with fewer than 4 bytes.",
        lambda m: m.trained(m.a_parameter - 4 * (m.weight_bytes < 2)),
    ),
    (
        "Rounded to the nearest number: a sequence that fits in part does not fit.",
        lambda m: m.fitting(memory=m.memory_gib * GIB + m.bytes_a_sequence // 2),
    ),
    (
        "One sequence is promised where none fits (max(1, …), or rounded?); the answer is 0 then.",
        lambda m: max(1, m.right),
    ),
    (
        "A sequence counts twice in training; bytes_a_sequence says already what it takes there.",
        lambda m: m.right // (1 + m.training),
    ),
    (
        "The copy is counted as large as the weights; it is in float32, 4 bytes.",
        lambda m: m.trained(2 * m.weight_bytes + 8 + m.weight_bytes * (m.weight_bytes < 4)),
    ),
]

KNOWN_SHAPES = [*WRONG_SHAPES, *RARE_SHAPES]
KNOWN_MACHINES = [*WRONG_MACHINES, *RARE_MACHINES]
