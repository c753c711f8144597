"""How much a model computes: the multiplications and additions of its matrix products, counted apart.

A product of an (m, k) with a (k, n) matrix takes m·n·k multiplications and as many additions, 2·m·n·k FLOPs. What is
no matrix product (norms, softmax, activations, look-ups) is left out: its share falls as the width grows. A causal mask
saves nothing here: the products are computed whole, then masked.
"""

from lessons_lib.config import TransformerConfig
from lessons_lib.errors import UserError
from lessons_lib.families.encoder_only import EncoderOnlyConfig
from lessons_lib.sizes.parameters import feed_forward_matrices, head_widths


def forward_flops(config: TransformerConfig, batch: int, src_length: int = 0, tgt_length: int = 0) -> dict[str, int]:
    """FLOPs of one forward pass, by part: ``batch`` sequences of ``src_length`` and ``tgt_length`` tokens.

    "… projections" are the four matrices of an attention, "… attention" its two products of activations (QKᵀ, and
    weights times V), the only ones that grow with the square of the length. A model without decoder has no output
    projection.

    Raises:
        ValueError: a stack gets no tokens, or there are tokens for a stack that the model has not.
    """
    check_lengths(config, batch, src_length, tgt_length)
    src, tgt = batch * src_length, batch * tgt_length
    width, kv_width = head_widths(config)
    encoder, decoder = config.n_encoder_layers, config.n_decoder_layers
    cross = decoder if encoder else 0
    feed_forward = 2 * feed_forward_matrices(config) * config.d_model * config.d_ff  # a token and layer
    own, outer = 4 * config.d_model * (width + kv_width), 4 * config.d_model * width  # all four; W_Q and W_O
    parts = {
        "encoder projections": encoder * src * own,
        "encoder attention": encoder * src * 4 * src_length * width,
        "encoder feed-forward": encoder * src * feed_forward,
        "decoder projections": decoder * tgt * own,
        "decoder attention": decoder * tgt * 4 * tgt_length * width,
        "cross projections": cross * (tgt * outer + src * 4 * config.d_model * kv_width),
        "cross attention": cross * tgt * 4 * src_length * width,
        "decoder feed-forward": decoder * tgt * feed_forward,
        "pooler": 2 * batch * config.d_model**2 if isinstance(config, EncoderOnlyConfig) and config.pooler else 0,
        "output projection": 2 * tgt * config.d_model * config.vocab_size,
    }
    return {name: count for name, count in parts.items() if count}


def training_flops(
    config: TransformerConfig, batch: int, src_length: int = 0, tgt_length: int = 0, fused: bool = False
) -> int:
    """FLOPs of one training step, forward and backward.

    Each product y = x W has two in the backward pass, one for the gradient of x and one for that of W: three times
    the forward pass. It holds without exception for this model, whose first product has a learned embedding for its
    input. A fused attention stores no weights and computes QKᵀ once more (Dao et al. 2022, section 3.1), so that its
    two products cost 3.5 times.
    """
    parts = forward_flops(config, batch, src_length, tgt_length)
    again = sum(count for name, count in parts.items() if name.endswith(" attention")) // 2
    return 3 * sum(parts.values()) + (again if fused else 0)


def generation_flops(config: TransformerConfig, batch: int, past: int, src_length: int = 0) -> int:
    """FLOPs of the next token with a cache of ``past`` tokens a sequence, the source's keys and values among it.

    Raises:
        ValueError: the model has no decoder, or a length is out of its range.
    """
    if past < 0 or not config.n_decoder_layers:
        raise UserError(f"past={past}, n_decoder_layers={config.n_decoder_layers}: use 0 or more, and 1 or more")
    check_lengths(config, batch, src_length, 1)
    width, kv_width = head_widths(config)
    layer = 4 * config.d_model * (width + kv_width) + 4 * width * (past + 1)
    layer += 2 * feed_forward_matrices(config) * config.d_model * config.d_ff
    if config.n_encoder_layers:
        layer += 4 * config.d_model * width + 4 * width * src_length
    return batch * (config.n_decoder_layers * layer + 2 * config.d_model * config.vocab_size)


def rule_of_thumb_flops(n_parameters: int, tokens: int, training: bool = True) -> int:
    """6·N·D for training on D tokens, 2·N·D for reading or writing them (Kaplan et al. 2020, section 2.1).

    A parameter is multiplied and added once a token, and twice more on the way back. N leaves the embeddings out
    (`non_embedding_parameters`). The rule leaves out the output projection, and the attention over the length, of
    which they count half, and which they call small while the context is much shorter than 12 · d_model.
    """
    return (6 if training else 2) * n_parameters * tokens


def check_lengths(config: TransformerConfig, batch: int, src_length: int, tgt_length: int) -> None:
    """Raise ValueError unless each stack that the model has, and no other, gets tokens."""
    if batch < 1:
        raise UserError(f"batch={batch} is not positive; use 1 or more")
    for name, layers, length in (
        ("src_length", config.n_encoder_layers, src_length),
        ("tgt_length", config.n_decoder_layers, tgt_length),
    ):
        if (length > 0) != (layers > 0) or length < 0:
            wanted = "1 or more" if layers else "0, for it has no such stack"
            raise UserError(f"{name}={length} does not fit this model; use {wanted}")
        if length > config.max_length:
            raise UserError(f"{name}={length} is longer than max_length={config.max_length}; shorten it")
