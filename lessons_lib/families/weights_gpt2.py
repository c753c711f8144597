"""Published GPT-2 weights (Radford et al. 2019) in our modules."""

from pathlib import Path

from torch import Tensor

from lessons_lib.families.decoder_only import GPT2_SMALL, DecoderOnly
from lessons_lib.families.layout import Layout
from lessons_lib.families.loading import load


def _split_conv1d(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """GPT-2's matrices are (in, out), ours (out, in); and its c_attn is three of ours, side by side."""
    split = {}
    for name, tensor in tensors.items():
        if ".c_" in name:
            tensor = tensor.mT if tensor.dim() == 2 else tensor
        if ".c_attn." in name:
            for part, piece in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                split[name.replace("c_attn", f"c_attn.{part}")] = piece
        else:
            split[name] = tensor
    return split


def _width(settings: dict, tensors: dict[str, Tensor]) -> dict:
    """The feed-forward network is four times as wide as the model unless a setting says otherwise."""
    return {} if settings.get("n_inner") else {"d_ff": 4 * int(settings.get("n_embd", GPT2_SMALL.d_model))}


GPT2 = Layout(
    model_types=("gpt2",),
    base=GPT2_SMALL,
    settings={
        "vocab_size": "vocab_size",
        "n_embd": "d_model",
        "n_head": "n_heads",
        "n_layer": "n_decoder_layers",
        "n_inner": "d_ff",
        "activation_function": "activation",
        "resid_pdrop": "dropout",
        "attn_pdrop": "attention_dropout",
        "n_positions": "max_length",
        "layer_norm_epsilon": "norm_eps",
        "tie_word_embeddings": "tied",
        "eos_token_id": "eos_id",
        "pad_token_id": "pad_id",
    },
    aliases={
        "hidden_size": "n_embd",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
        "max_position_embeddings": "n_positions",
    },
    required={"scale_attn_weights": True},
    prefix="transformer.",
    names={
        "wte": "embedding",
        "wpe": "decoder.positions",
        "h.*.ln_1": "decoder.layers.*.attention_residual.norm",
        "h.*.attn.c_attn.query": "decoder.layers.*.attention.query",
        "h.*.attn.c_attn.key": "decoder.layers.*.attention.key",
        "h.*.attn.c_attn.value": "decoder.layers.*.attention.value",
        "h.*.attn.c_proj": "decoder.layers.*.attention.output",
        "h.*.ln_2": "decoder.layers.*.feed_forward_residual.norm",
        "h.*.mlp.c_fc": "decoder.layers.*.feed_forward.expand",
        "h.*.mlp.c_proj": "decoder.layers.*.feed_forward.contract",
        "ln_f": "decoder.norm",
        "lm_head": "output",
    },
    copies=(("wte.weight", "lm_head.weight"),),
    ignored=("h.*.attn.bias", "h.*.attn.masked_bias"),  # causal masks
    rearrange=_split_conv1d,
    derive=_width,
)


def load_gpt2(source: Path | str) -> DecoderOnly:
    """A GPT-2, in evaluation mode on the CPU.

    Args:
        source: a folder with config.json and model.safetensors, or a name on the Hugging Face hub.

    Raises:
        ValueError: it is not there, is not a GPT-2, or has settings or tensors that our blocks have not; names them.
    """
    return load(source, GPT2, DecoderOnly)
