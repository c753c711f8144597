"""Published weights of Llama (Touvron et al. 2023) and of those that share its blocks, Mistral and Qwen2."""

from pathlib import Path

from torch import Tensor

from lessons_lib.families.decoder_only import LLAMA_7B, DecoderOnly
from lessons_lib.families.layout import Layout, kind_of, refuse
from lessons_lib.families.loading import load


def _choices(settings: dict, tensors: dict[str, Tensor]) -> dict:
    """The base of the rotation, and the biases; windows and stretched rotations are refused."""
    kind, known = kind_of(settings, LLAMA), {}
    for name in ("rope_parameters", "rope_scaling"):  # as new files call it, and as old ones
        given = settings.pop(name, None) or {}
        rope = dict(given) if isinstance(given, dict) else {"": given}
        kinds = {rope.pop(key, "default") for key in ("rope_type", "type")}
        base, turned = rope.pop("rope_theta", None), rope.pop("partial_rotary_factor", 1.0)
        rope.pop("original_max_position_embeddings", None)  # of stretched rotations
        if "linear" in kinds and rope.pop("factor", None) == 1.0:  # stretched by nothing
            kinds = {"default"}
        if kinds != {"default"} or rope or turned != 1.0:
            refuse(name, given)
        if base is not None:
            known["rope_base"] = float(base)
    # Mistral has a window unless a setting takes it away; Qwen2 has one if a setting switches it on.
    window = settings.pop("sliding_window", 4096 if kind == "mistral" else None)
    longest = settings.get("max_position_embeddings") or LLAMA_7B.max_length  # a window of that hides nothing
    if settings.pop("use_sliding_window", kind == "mistral") and window and window < longest:
        refuse("sliding_window", window)
    if others := set(settings.pop("layer_types", None) or ()) - {"full_attention"}:
        refuse("layer_types", others.pop())
    attention, feed_forward = (bool(settings.pop(name, None)) for name in ("attention_bias", "mlp_bias"))
    if attention != feed_forward and kind != "qwen2":  # whose biases stand where they stand, whatever is said
        refuse("attention_bias", attention, f"only mlp_bias={attention} goes with it")
    known["bias"] = "qkv" if kind == "qwen2" else "all" if attention else "none"
    return known


LLAMA = Layout(
    model_types=("llama", "mistral", "qwen2"),
    base=LLAMA_7B,
    settings={
        "vocab_size": "vocab_size",
        "hidden_size": "d_model",
        "num_attention_heads": "n_heads",
        "num_key_value_heads": "n_kv_heads",
        "head_dim": "d_head",
        "num_hidden_layers": "n_decoder_layers",
        "intermediate_size": "d_ff",
        "attention_dropout": "attention_dropout",
        "max_position_embeddings": "max_length",
        "rope_theta": "rope_base",
        "rms_norm_eps": "norm_eps",
        "tie_word_embeddings": "tied",
        "bos_token_id": "bos_id",
        "eos_token_id": "eos_id",
        "pad_token_id": "pad_id",
    },
    required={"hidden_act": "silu"},  # as a gate: our "swiglu"
    prefix="model.",
    names={
        "embed_tokens": "embedding",
        "layers.*.input_layernorm": "decoder.layers.*.attention_residual.norm",
        "layers.*.self_attn.q_proj": "decoder.layers.*.attention.query",
        "layers.*.self_attn.k_proj": "decoder.layers.*.attention.key",
        "layers.*.self_attn.v_proj": "decoder.layers.*.attention.value",
        "layers.*.self_attn.o_proj": "decoder.layers.*.attention.output",
        "layers.*.post_attention_layernorm": "decoder.layers.*.feed_forward_residual.norm",
        "layers.*.mlp.gate_proj": "decoder.layers.*.feed_forward.expand",
        "layers.*.mlp.up_proj": "decoder.layers.*.feed_forward.gate",
        "layers.*.mlp.down_proj": "decoder.layers.*.feed_forward.contract",
        "norm": "decoder.norm",
        "lm_head": "output",
    },
    copies=(("embed_tokens.weight", "lm_head.weight"),),
    ignored=("layers.*.self_attn.rotary_emb.inv_freq", "rotary_emb.inv_freq"),
    derive=_choices,
)


def load_llama(source: Path | str) -> DecoderOnly:
    """A Llama, Mistral or Qwen2, in evaluation mode on the CPU, its weights as float32.

    Args:
        source: a folder with config.json and model.safetensors, or a name on the Hugging Face hub.

    Raises:
        ValueError: it is not there, is none of these, or has settings or tensors that our blocks have not (sliding
            windows, rotary scaling); names them.
    """
    return load(source, LLAMA, DecoderOnly)
