"""Published BERT weights (Devlin et al. 2019) in our modules."""

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from lessons_lib.families.encoder_only import BERT_BASE, EncoderOnly, MaskedLanguageModel
from lessons_lib.families.layout import Layout
from lessons_lib.families.loading import load


def _bert_norms(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The oldest files call a norm's weight and bias gamma and beta."""
    renamed = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
    return {
        next((name.replace(old, new) for old, new in renamed.items() if name.endswith(old)), name): tensor
        for name, tensor in tensors.items()
    }


def _has_pooler(settings: dict, tensors: dict[str, Tensor]) -> dict:
    """No setting says it: models that were saved with the masked-language head have no pooler."""
    return {"pooler": any(name.endswith("pooler.dense.weight") for name in tensors)}


BERT = Layout(
    model_types=("bert",),
    base=BERT_BASE,
    settings={
        "vocab_size": "vocab_size",
        "hidden_size": "d_model",
        "num_attention_heads": "n_heads",
        "num_hidden_layers": "n_encoder_layers",
        "intermediate_size": "d_ff",
        "hidden_act": "activation",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
        "max_position_embeddings": "max_length",
        "type_vocab_size": "n_token_types",
        "layer_norm_eps": "norm_eps",
        "pad_token_id": "pad_id",
        "eos_token_id": "eos_id",
    },
    required={"position_embedding_type": "absolute", "tie_word_embeddings": True},
    prefix="bert.",
    names={
        "embeddings.word_embeddings": "embedding",
        "embeddings.position_embeddings": "encoder.positions",
        "embeddings.token_type_embeddings": "token_types",
        "embeddings.LayerNorm": "encoder.embedding_norm",
        "encoder.layer.*.attention.self.query": "encoder.layers.*.attention.query",
        "encoder.layer.*.attention.self.key": "encoder.layers.*.attention.key",
        "encoder.layer.*.attention.self.value": "encoder.layers.*.attention.value",
        "encoder.layer.*.attention.output.dense": "encoder.layers.*.attention.output",
        "encoder.layer.*.attention.output.LayerNorm": "encoder.layers.*.attention_residual.norm",
        "encoder.layer.*.intermediate.dense": "encoder.layers.*.feed_forward.expand",
        "encoder.layer.*.output.dense": "encoder.layers.*.feed_forward.contract",
        "encoder.layer.*.output.LayerNorm": "encoder.layers.*.feed_forward_residual.norm",
        "pooler.dense": "pooler",
    },
    ignored=("embeddings.position_ids", "embeddings.token_type_ids", "cls.*"),
    rearrange=_bert_norms,
    derive=_has_pooler,
)

BERT_MASKED = replace(
    BERT,
    names={theirs: f"encoder.{ours}" for theirs, ours in BERT.names.items()}
    | {
        "cls.predictions": "head",
        "cls.predictions.transform.dense": "head.transform",
        "cls.predictions.transform.LayerNorm": "head.norm",
    },
    copies=(
        ("embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"),
        ("cls.predictions.bias", "cls.predictions.decoder.bias"),
    ),
    ignored=("embeddings.position_ids", "embeddings.token_type_ids", "cls.seq_relationship.*"),
)


def load_bert(source: Path | str) -> EncoderOnly:
    """A BERT, in evaluation mode on the CPU; its heads for masked words and next sentences are left out.

    Args:
        source: a folder with config.json and model.safetensors, or a name on the Hugging Face hub.

    Raises:
        ValueError: it is not there, is not a BERT, or has settings or tensors that our blocks have not; names them.
    """
    return load(source, BERT, EncoderOnly)


def load_masked_language_model(source: Path | str) -> MaskedLanguageModel:
    """A BERT with its head for masked words, in evaluation mode on the CPU; else as `load_bert`."""
    return load(source, BERT_MASKED, MaskedLanguageModel)
