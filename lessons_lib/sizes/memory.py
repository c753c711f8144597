"""How much memory a model takes, in bytes: what stands, what a training step adds, what generation needs.

The formulas are for this library's modules on a CPU, whose tensors can be counted. Everything is in one ``dtype``. The
tokens themselves, and what an operator allocates for itself while it runs, are left out: little in float32, more with
16-bit numbers, for which PyTorch's kernels for CPUs work in float32 for a moment. Nor is this what the operating system
sees: the memory of a process grows beyond it, because what is freed in pieces is not given back at once.
"""

from dataclasses import dataclass

from lessons_lib.config import TransformerConfig
from lessons_lib.errors import UserError
from lessons_lib.feedforward import ACTIVATIONS
from lessons_lib.sizes.flops import check_lengths
from lessons_lib.sizes.parameters import count_parameters, head_widths
from lessons_lib.sizes.stages import BIASED, Step, heights, loss_stage, model_stages

BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Memory:
    """Bytes by part, each at its largest, and the most that is there at one time.

    Attributes:
        parts: in a training step they are not all there at once: activations go while gradients come.
        peak: at the fullest moment.
        moment: which one that is.
    """

    parts: dict[str, int]
    peak: int
    moment: str


def training_memory(
    config: TransformerConfig,
    batch: int,
    src_length: int = 0,
    tgt_length: int = 0,
    dtype: str = "float32",
    loss: str = "chunked",
    fused: bool = True,
) -> Memory:
    """Bytes of a training step with AdamW, whose gradients are freed after it.

    AdamW keeps two numbers a parameter (Loshchilov and Hutter 2019, algorithm 2). PyTorch's needs no more with
    ``fused=True``; else, while it updates, two or three more of the largest weight, or (``foreach``) one of each.
    A model without decoder is taken to predict every source token with its embedding.

    Args:
        loss: "chunked" (`fused_cross_entropy`) or "plain" (all logits at once, then ``cross_entropy``).
        fused: whether attention is left to PyTorch's function, which stores no weights where it has a kernel for
            them; the library does, unless the weights are asked for, or one query of 16 bits reads a long cache.

    Raises:
        ValueError: lengths do not fit the model, or ``dtype`` or ``loss`` is not known.
    """
    check_lengths(config, batch, src_length, tgt_length)
    if loss not in ("chunked", "plain"):
        raise UserError(f"loss={loss!r} is not known; use one of chunked, plain")
    step = Step(config, batch, src_length, tgt_length, _bytes(dtype), fused, loss == "plain")
    stages, last = list(model_stages(step)), loss_stage(step)
    parts = _standing(step)
    parts["optimizer"] = 2 * parts["weights"]
    standing = sum(parts.values())
    parts["gradients"] = parts["weights"]
    parts["activations"] = sum(stage.kept for stage in stages)
    parts["loss"] = last.kept + max(last.forward, last.backward)
    height, moment = max(heights([*stages, last]))
    return Memory(parts, standing + height, moment)


def inference_memory(
    config: TransformerConfig,
    batch: int,
    src_length: int = 0,
    tgt_length: int = 0,
    dtype: str = "float32",
    prompt_length: int = 1,
    fused: bool = True,
) -> Memory:
    """Bytes while ``tgt_length`` tokens are generated with a cache; of one forward pass, if there is no decoder.

    The parts are the weights, the tables, the cache, and the workspace of the fullest moment; their sum is the peak.

    Args:
        prompt_length: the tokens that the decoder reads at once before it writes one at a time.
        fused: as in `training_memory`.

    Raises:
        ValueError: lengths do not fit the model, or ``dtype`` is not known.
    """
    check_lengths(config, batch, src_length, tgt_length)
    if tgt_length and not 1 <= prompt_length <= tgt_length:
        raise UserError(f"prompt_length={prompt_length} is not among tgt_length={tgt_length} tokens; make it shorter")
    step = Step(config, batch, src_length, tgt_length, _bytes(dtype), fused)
    parts, moments = _standing(step), {}
    if src_length:
        moments["reading the source"] = _layer(step, src_length)
    if tgt_length:
        cache = cache_memory(config, batch, src_length, tgt_length, dtype)
        held = sum(cache.values()) + step.vectors(src_length)  # the encoder's output stays
        logits = batch * config.vocab_size * step.value
        moments["reading the prompt"] = held + max(_layer(step, prompt_length, cached=True), logits)
        own, source = _reread(step, tgt_length), _reread(step, src_length, is_cross=True)
        moments["the last token"] = held + max(own, source, logits)
        parts |= cache
    moment = max(moments, key=moments.get)
    peak = parts["weights"] + parts["tables"] + moments[moment]
    parts["workspace"] = peak - sum(parts.values())
    return Memory(parts, peak, moment)


def cache_memory(
    config: TransformerConfig, batch: int, src_length: int = 0, tgt_length: int = 0, dtype: str = "float32"
) -> dict[str, int]:
    """Bytes of the keys and values of a cache: of the target so far, and of the source.

    2 · layers · B · G · d_head numbers a token; G is ``n_kv_heads`` (Shazeer 2019, section 3; Ainslie et al. 2023).

    Raises:
        ValueError: the model has no decoder, lengths do not fit it, or ``dtype`` is not known.
    """
    if not config.n_decoder_layers:
        raise UserError("n_decoder_layers=0: without a decoder there is no cache; use inference_memory")
    check_lengths(config, batch, src_length, tgt_length)
    token = 2 * config.n_decoder_layers * batch * head_widths(config)[1] * _bytes(dtype)
    return {"cache of the target": token * tgt_length, "cache of the source": token * src_length}


def _bytes(dtype: str) -> int:
    if dtype not in BYTES:
        raise UserError(f"dtype={dtype!r} is not known; use one of {', '.join(BYTES)}")
    return BYTES[dtype]


def _standing(step: Step) -> dict[str, int]:
    """What is there before the first step: the weights, and the tables of positions that are not learned."""
    config = step.config
    tables = {
        "sinusoidal": config.max_length * config.d_model,
        "sinusoidal_halves": config.max_length * config.d_model,
        "rope": 2 * config.max_length * config.head_width,
        "alibi": config.n_heads,
    }
    stacks = (config.n_encoder_layers > 0) + (config.n_decoder_layers > 0)
    return {
        "weights": count_parameters(config) * step.value,
        "tables": stacks * tables.get(config.positions, 0) * step.value,
    }


def _layer(step: Step, length: int, cached: bool = False) -> int:
    """What one layer needs at most when ``length`` tokens are read at once and nothing is kept for later."""
    config, (width, kv_width) = step.config, head_widths(step.config)
    x, query, hidden = step.vectors(length), step.vectors(length, width), step.vectors(length, config.d_ff)
    weights, bias = step.scores(length, length), config.n_heads * length * length * step.value
    is_biased = config.positions in BIASED
    attention = query + _copies(step, length) + (0 if cached else 2 * step.vectors(length, kv_width))
    attention += is_biased * bias
    if not step.fused:
        attention += 3 * weights  # masked scores, their softmax, the weights
    elif step.has_kernel(is_biased, is_causal=cached, trains=False):
        attention += query + is_biased * weights  # the output; the bias, with the mask in it
    else:
        # The sum of mask and bias; the keys divided by √d_head; scores, softmax, and which are -inf (a byte each).
        attention += bias + query + 2 * weights + weights // step.value
    states = 3 if ACTIVATIONS[config.activation][1] else 2
    return 3 * x + max(attention, states * hidden + x)  # the embeddings, the residual path, its norm; and its input


def _reread(step: Step, length: int, is_cross: bool = False) -> int:
    """What of a cache of ``length`` tokens exists once more when one query reads it."""
    copies, keys = _copies(step, length), step.vectors(length, head_widths(step.config)[0])
    if not step.fused:
        return copies or keys * is_cross  # the source's keys, laid out head by head
    is_biased = step.config.positions in BIASED and not is_cross
    has_kernel = step.has_kernel(is_biased, is_causal=not is_cross, trains=False)
    return copies + (0 if has_kernel else keys)  # divided by √d_head


def _copies(step: Step, length: int) -> int:
    """Keys and values once more for every query head, if these share them."""
    width, kv_width = head_widths(step.config)
    return 2 * step.vectors(length, width) if kv_width < width else 0
