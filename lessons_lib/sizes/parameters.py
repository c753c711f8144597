"""How many numbers a model learns, part by part, from its configuration alone."""

from lessons_lib.config import TransformerConfig
from lessons_lib.families.encoder_only import EncoderOnlyConfig
from lessons_lib.feedforward import ACTIVATIONS
from lessons_lib.norms import NORMS

RELATIVE_DISTANCES = 2 * 16 + 1  # of `ClippedRelativePositions`: −16 to +16
T5_BUCKETS = 32
EMBEDDINGS = ("token embedding", "token types", "positions")  # what Kaplan et al. (2020, section 2.1) leave out


def parameters(config: TransformerConfig) -> dict[str, int]:
    """The learned numbers of each part that the model has (Vaswani et al. 2017, section 3, gives the matrices).

    The names: token embedding, token types, positions, embedding norms; for each stack its attention, feed-forward and
    norms, and the decoder's cross-attention; final norms, pooler, output projection. A tied output projection is the
    token embedding, and not counted again; a model without decoder has none.
    """
    width, stacks = config.d_model, (config.n_encoder_layers > 0) + (config.n_decoder_layers > 0)
    both = config.n_encoder_layers > 0 and config.n_decoder_layers > 0
    cross_layers = config.n_decoder_layers if both else 0
    types, pooler = (config.n_token_types, config.pooler) if isinstance(config, EncoderOnlyConfig) else (0, False)
    norm = norm_parameters(config)
    parts = {
        "token embedding": config.vocab_size * width,
        "token types": types * width,
        "positions": stacks * position_parameters(config),
        "embedding norms": stacks * norm if config.embedding_norm else 0,
        "encoder attention": config.n_encoder_layers * attention_parameters(config),
        "encoder feed-forward": config.n_encoder_layers * feed_forward_parameters(config),
        "encoder norms": config.n_encoder_layers * 2 * norm,
        "decoder self-attention": config.n_decoder_layers * attention_parameters(config),
        "decoder cross-attention": cross_layers * attention_parameters(config),
        "decoder feed-forward": config.n_decoder_layers * feed_forward_parameters(config),
        "decoder norms": (config.n_decoder_layers * 2 + cross_layers) * norm,
        "final norms": stacks * norm if config.norm == "pre" else 0,
        "pooler": width * width + width if pooler else 0,
        "output projection": config.vocab_size * width if config.n_decoder_layers and not config.tied else 0,
    }
    return {name: count for name, count in parts.items() if count}


def count_parameters(config: TransformerConfig) -> int:
    """All of `parameters`."""
    return sum(parameters(config).values())


def non_embedding_parameters(config: TransformerConfig) -> int:
    """The N of scaling laws: without token and position embeddings (Kaplan et al. 2020, section 2.1).

    An output projection of its own is not in it either: it has the shape of the embedding.
    """
    left_out = (*EMBEDDINGS, "output projection")
    return sum(count for name, count in parameters(config).items() if name not in left_out)


def table(config: TransformerConfig) -> list[tuple[str, int, float]]:
    """Rows for a lesson: the part, its parameters, its share of all (0 to 1)."""
    parts = parameters(config)
    total = sum(parts.values())
    return [(name, count, count / total) for name, count in parts.items()]


def attention_parameters(config: TransformerConfig) -> int:
    """W_Q, W_K, W_V, W_O of one attention, and their biases; keys and values have fewer columns if heads share them."""
    width, kv_width = head_widths(config)
    count = 2 * config.d_model * (width + kv_width)
    if config.bias != "none":
        count += width + 2 * kv_width
    if config.bias == "all":
        count += config.d_model
    return count


def feed_forward_parameters(config: TransformerConfig) -> int:
    """Two matrices, or three with a gate (Shazeer 2020), and their biases."""
    expansions = feed_forward_matrices(config) - 1
    count = (expansions + 1) * config.d_model * config.d_ff
    if config.bias == "all":
        count += expansions * config.d_ff + config.d_model
    return count


def norm_parameters(config: TransformerConfig, width: int | None = None) -> int:
    """γ and β of a norm of this width, or of d_model; γ alone for RMSNorm (Zhang and Sennrich 2019)."""
    return sum(weight.numel() for weight in NORMS[config.norm_type](width or config.d_model).parameters())


def position_parameters(config: TransformerConfig) -> int:
    """What one stack learns about positions: nothing, unless they are "learned", "relative" or "t5"."""
    learned = {
        "learned": config.max_length * config.d_model,
        "relative": config.n_heads * RELATIVE_DISTANCES,
        "t5": config.n_heads * T5_BUCKETS,
    }
    return learned.get(config.positions, 0)


def head_widths(config: TransformerConfig) -> tuple[int, int]:
    """The width of all query heads together, and of all key heads (as many as value heads)."""
    return config.n_heads * config.head_width, (config.n_kv_heads or config.n_heads) * config.head_width


def feed_forward_matrices(config: TransformerConfig) -> int:
    """3 with a gate, 2 without."""
    return 3 if ACTIVATIONS[config.activation][1] else 2
