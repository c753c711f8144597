"""A training step as a walk through the model's stages and back: what each keeps, needs and leaves, in bytes.

On the way there a stage keeps what its gradient will need. On the way back it gives that up, and leaves the gradients
of its weights. What is kept is exact (`torch.autograd.graph.saved_tensors_hooks` sees the same); what a stage needs for
a moment on top of it is its largest tensors alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lessons_lib.config import TransformerConfig
from lessons_lib.errors import UserError
from lessons_lib.families.encoder_only import EncoderOnlyConfig
from lessons_lib.feedforward import ACTIVATIONS
from lessons_lib.sizes.parameters import (
    attention_parameters,
    feed_forward_parameters,
    head_widths,
    norm_parameters,
    position_parameters,
)

CHUNK, TILE = 512, 64  # positions whose logits exist at one time, as in `lessons_lib.translation.training.losses`
BIASED = ("alibi", "relative", "t5")  # positions that add to the scores


@dataclass(frozen=True)
class Stage:
    """What one stage keeps, the gradients it leaves, and what it needs beyond them on the way there and back: bytes."""

    name: str
    kept: int
    gradient: int = 0
    forward: int = 0
    backward: int = 0


@dataclass(frozen=True)
class Step:
    """A configuration and the batch that meets it.

    Attributes:
        value: the bytes of a number.
        fused: whether attention is left to PyTorch's function.
        plain_loss: whether all logits exist at once.
    """

    config: TransformerConfig
    batch: int
    src_length: int
    tgt_length: int
    value: int
    fused: bool = True
    plain_loss: bool = False

    def vectors(self, length: int, width: int | None = None) -> int:
        """Bytes of a (B, length, width) tensor; of width d_model unless given."""
        return self.batch * length * (width or self.config.d_model) * self.value

    def scores(self, queries: int, keys: int) -> int:
        """Bytes of a (B, H, T, S) tensor."""
        return self.batch * self.config.n_heads * queries * keys * self.value

    @property
    def wide(self) -> int:
        """How often a number fits into one of PyTorch's function, which computes 16 bits in float32."""
        return max(self.value, 4) // self.value

    def has_kernel(self, is_biased: bool, is_causal: bool, trains: bool = True) -> bool:
        """Whether that function has a fused kernel for this attention; if not, it stores the weights after all.

        The kernel for CPUs takes no dropout, no bias that is learned (where there is a gradient), and none without a
        dimension of sentences, which a padding mask adds and a causal one does not.
        """
        takes_bias = not is_causal and (self.config.positions == "alibi" or not trains)
        return not (trains and self.config.attention_dropout) and (takes_bias or not is_biased)

    @property
    def embedding(self) -> int:
        """Bytes of the embedding, of the output projection, or of the gradient of either."""
        return self.config.vocab_size * self.config.d_model * self.value


def heights(stages: list[Stage]) -> Iterator[tuple[int, str]]:
    """Bytes at each stage on the way there and back, and after it, with the name of the moment."""
    held = 0
    for stage in stages:
        held += stage.kept
        yield held + stage.forward, f"forward: {stage.name}"
    for stage in reversed(stages):
        yield held + stage.backward, f"backward: {stage.name}"
        held += stage.gradient - stage.kept
    yield held, "optimizer step"


def model_stages(step: Step) -> Iterator[Stage]:
    """The stages of encoder and decoder, those that the model has, in the order of the forward pass."""
    config, src, tgt = step.config, step.src_length, step.tgt_length
    if config.n_encoder_layers:
        yield _embedding(step, "encoder embedding", src, is_last=not config.n_decoder_layers)
        for index in range(1, config.n_encoder_layers + 1):
            yield _attention(step, f"encoder layer {index}, attention", src, src)
            yield _feed_forward(step, f"encoder layer {index}, feed-forward", src)
        yield from _final_norm(step, "encoder norm", src)
    if config.n_encoder_layers and config.n_decoder_layers:
        yield Stage("encoder output", step.vectors(src), backward=step.vectors(src))  # every cross-attention reads it
    if config.n_decoder_layers:
        yield _embedding(step, "decoder embedding", tgt, is_last=True)
        for index in range(1, config.n_decoder_layers + 1):
            yield _attention(step, f"decoder layer {index}, self-attention", tgt, tgt, is_causal=True)
            if config.n_encoder_layers:
                yield _attention(step, f"decoder layer {index}, cross-attention", tgt, src, is_cross=True)
            yield _feed_forward(step, f"decoder layer {index}, feed-forward", tgt)
        yield from _final_norm(step, "decoder norm", tgt)


def loss_stage(step: Step) -> Stage:
    """The projection on the vocabulary and the cross-entropy, of every target token (source, if there is no target)."""
    length = step.tgt_length or step.src_length
    hidden, embedding = step.vectors(length), step.embedding
    if step.plain_loss:
        # It keeps the logits' log-softmax and the vectors they came from.
        logits = step.vectors(length, step.config.vocab_size)
        return Stage("loss", hidden + logits, embedding, logits, max(2 * logits, hidden + embedding))
    # It keeps its own gradients. A chunk's logits, their softmax, and what they add to the embedding's gradient.
    rows = min(CHUNK, -(-step.batch * length // TILE) * TILE)
    forward = hidden + 2 * rows * step.config.vocab_size * step.value + embedding
    return Stage("loss", hidden + embedding, embedding, forward, hidden + embedding)


def _embedding(step: Step, name: str, length: int, is_last: bool) -> Stage:
    """Look-up, positions, norm, dropout. ``is_last``: no other look-up is later, so its gradient comes first."""
    config, x = step.config, step.vectors(length)
    kept, gradient, backward = x * (config.dropout > 0), position_parameters(config) * step.value, x + step.embedding
    if config.embedding_norm:
        kept += _norm_kept(step, length)
        gradient += norm_parameters(config) * step.value
    if config.positions in ("relative", "t5"):
        kept += 8 * length * length  # the index of each distance, int64
    if isinstance(config, EncoderOnlyConfig) and config.n_token_types:
        kept += 8 * step.batch * length  # the types, int64
        gradient += config.n_token_types * config.d_model * step.value
    # The gradients of one matrix, tied or looked up in twice, are added into the first; that of a plain product is not
    # contiguous, and the first sum is a new tensor.
    if not config.tied and config.n_decoder_layers and is_last:
        gradient += step.embedding
    elif step.plain_loss and is_last:
        backward += step.embedding
    return Stage(name, kept, gradient, 2 * x, backward)


def _attention(
    step: Step, name: str, queries: int, keys: int, is_causal: bool = False, is_cross: bool = False
) -> Stage:
    """One attention with its norm, dropout and residual path; ``is_causal``: its mask is no padding mask."""
    config, (width, kv_width) = step.config, head_widths(step.config)
    x, query, key = step.vectors(queries), step.vectors(queries, width), step.vectors(keys, width)
    weights, bias = step.scores(queries, keys), config.n_heads * queries * keys * step.value
    is_biased, rows = config.positions in BIASED and not is_cross, queries if is_causal else step.batch  # of the mask
    # The norm; its output, which is projected; what the output projection reads; dropout.
    kept = _norm_kept(step, queries) + x + query + x * (config.dropout > 0)
    forward = query + 2 * step.vectors(keys, kv_width) + is_biased * bias
    # The residual path and the gradient of the values; that of W_O; those of source and bias, summed over the layers.
    backward = x + key + width * config.d_model * step.value + step.vectors(keys) * is_cross - _spent(step, queries)
    backward += is_biased * bias
    if not step.fused:
        # Queries, keys, values; the softmax, the weights with zeros for queries without a key, and which these are;
        # with dropout its noise.
        kept += query + 2 * key + weights * (3 if config.attention_dropout else 2) + rows * step.value
        forward, backward = forward + weights, backward + weights
    elif step.has_kernel(is_biased, is_causal):
        # Queries, keys, values; the kernel's output, if it is not what the projection reads; the mask as numbers; the
        # logarithm of each row's sum (float32).
        penalty = weights if is_biased else rows * keys * step.value
        kept += step.wide * (query + 2 * key + penalty + (step.wide > 1) * query)
        kept += max(step.value, 4) * step.batch * config.n_heads * queries
        backward += step.wide * (query + key)
    else:
        # Queries, keys, values, the softmax; with dropout its noise and its result; of 16-bit numbers all in float32.
        kept += step.wide * (query + 2 * key + weights * (3 if config.attention_dropout else 1))
        # The scores beside their softmax, and which of them are -inf (a byte each); the sum of mask and bias.
        forward += step.wide * weights * (not config.attention_dropout) + weights // step.value
        forward += is_biased * (bias if is_causal else weights)
        backward += step.wide * weights * (1 if config.attention_dropout else 2)
    gradient = (attention_parameters(config) + norm_parameters(config)) * step.value
    return Stage(name, kept, gradient, forward, backward)


def _feed_forward(step: Step, name: str, length: int) -> Stage:
    """The feed-forward network with its norm, dropout and residual path."""
    config, x, hidden = step.config, step.vectors(length), step.vectors(length, step.config.d_ff)
    # ReLU needs its output alone, which the next matrix keeps already; the others need their input as well. A gate
    # also keeps both of its factors.
    states = 4 if ACTIVATIONS[config.activation][1] else 1 if config.activation == "relu" else 2
    kept = _norm_kept(step, length) + x + states * hidden + x * (config.dropout > 0)
    # The gradients of a state or two, of the residual path, and of W₂.
    backward = hidden * (1 if states == 2 else 2) + 2 * x + config.d_ff * config.d_model * step.value
    gradient = (feed_forward_parameters(config) + norm_parameters(config)) * step.value
    return Stage(name, kept, gradient, x, backward - _spent(step, length))


def _final_norm(step: Step, name: str, length: int) -> Iterator[Stage]:
    if step.config.norm == "pre":
        x, gradient = step.vectors(length), norm_parameters(step.config) * step.value
        yield Stage(name, _norm_kept(step, length), gradient, 2 * x, 2 * x)


def _norm_kept(step: Step, length: int) -> int:
    """The input, each row's mean and deviation; RMSNorm: input and output, each row's size, all in float32."""
    kind = step.config.norm_type
    if kind == "layer":
        return step.vectors(length) + step.vectors(length, 2)
    if kind == "rms":
        return (2 * step.vectors(length) + step.vectors(length, 1)) // step.value * max(step.value, 4)
    raise UserError(f"norm_type={kind!r}: what it keeps for its gradient is not known; use one of layer, rms")


def _spent(step: Step, length: int) -> int:
    """What the way back has given up of a sub-layer's norm and dropout before it comes to the sub-layer itself."""
    norm = _norm_kept(step, length) if step.config.norm == "post" else 0
    return norm + step.vectors(length) * (step.config.dropout > 0)
