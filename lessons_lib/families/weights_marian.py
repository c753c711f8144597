"""Published weights of Marian translators (Junczys-Dowmunt et al. 2018; Tiedemann and Thottingal 2020)."""

from pathlib import Path

from torch import Tensor

from lessons_lib.families.layout import Layout, refuse
from lessons_lib.families.loading import load
from lessons_lib.families.marian import MARIAN, Marian


def _same_on_both_sides(settings: dict, tensors: dict[str, Tensor]) -> dict:
    """Encoder and decoder have one size here, and one vocabulary; no token but padding is forbidden."""
    for name, twin in (
        ("decoder_attention_heads", "encoder_attention_heads"),
        ("decoder_ffn_dim", "encoder_ffn_dim"),
        ("decoder_vocab_size", "vocab_size"),
    ):
        value = settings.pop(name, None)
        if value is not None and value != settings.get(twin):
            refuse(name, value, f"it has to be {twin}={settings.get(twin)}")
    count = settings.get("vocab_size") or MARIAN.vocab_size
    if not 0 <= (settings.get("pad_token_id") or 0) < count:
        refuse("pad_token_id", settings["pad_token_id"], f"it has to be one of the {count} tokens")
    forbidden = settings.pop("bad_words_ids", None)
    if forbidden and forbidden != [[settings.get("pad_token_id")]]:
        refuse("bad_words_ids", forbidden, "only the padding token is forbidden")
    return {}


def _first_row(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The bias is a matrix of one row, ours is a vector."""
    return {name: tensor[0] if name == "final_logits_bias" else tensor for name, tensor in tensors.items()}


LAYER = {
    "self_attn.q_proj": "attention.query",
    "self_attn.k_proj": "attention.key",
    "self_attn.v_proj": "attention.value",
    "self_attn.out_proj": "attention.output",
    "self_attn_layer_norm": "attention_residual.norm",
    "fc1": "feed_forward.expand",
    "fc2": "feed_forward.contract",
    "final_layer_norm": "feed_forward_residual.norm",
}
CROSS = {
    "encoder_attn.q_proj": "cross_attention.query",
    "encoder_attn.k_proj": "cross_attention.key",
    "encoder_attn.v_proj": "cross_attention.value",
    "encoder_attn.out_proj": "cross_attention.output",
    "encoder_attn_layer_norm": "cross_attention_residual.norm",
}

MARIAN_MT = Layout(
    model_types=("marian",),
    base=MARIAN,
    settings={
        "vocab_size": "vocab_size",
        "d_model": "d_model",
        "encoder_attention_heads": "n_heads",
        "encoder_layers": "n_encoder_layers",
        "decoder_layers": "n_decoder_layers",
        "encoder_ffn_dim": "d_ff",
        "activation_function": "activation",
        "dropout": "dropout",
        "attention_dropout": "attention_dropout",
        "max_position_embeddings": "max_length",
        "scale_embedding": "scaled",
        "pad_token_id": "pad_id",
        "decoder_start_token_id": "bos_id",
        "eos_token_id": "eos_id",
    },
    aliases={"hidden_size": "d_model", "num_attention_heads": "encoder_attention_heads"},
    required={
        "is_encoder_decoder": True,
        "share_encoder_decoder_embeddings": True,
        "static_position_embeddings": True,
        "tie_word_embeddings": True,
    },
    prefix="model.",
    names={"shared": "embedding", "final_logits_bias": "output_bias"}
    | {f"encoder.layers.*.{theirs}": f"encoder.layers.*.{ours}" for theirs, ours in LAYER.items()}
    | {f"decoder.layers.*.{theirs}": f"decoder.layers.*.{ours}" for theirs, ours in (LAYER | CROSS).items()},
    copies=(("shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"),),
    ignored=("encoder.embed_positions.weight", "decoder.embed_positions.weight"),  # sines and cosines
    rearrange=_first_row,
    derive=_same_on_both_sides,
)


def load_marian(source: Path | str) -> Marian:
    """A Marian translator, in evaluation mode on the CPU.

    Args:
        source: a folder with config.json and model.safetensors, or a name on the Hugging Face hub.

    Raises:
        ValueError: it is not there, is no Marian, or has settings or tensors that our blocks have not; names them.
    """
    return load(source, MARIAN_MT, Marian)
