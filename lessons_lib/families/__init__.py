"""The same blocks as BERT, GPT-2, Llama and Marian, and their published weights in them."""

from lessons_lib.families.decoder_only import GPT2_SMALL, LLAMA_7B, DecoderOnly
from lessons_lib.families.encoder_only import (
    BERT_BASE,
    EncoderOnly,
    EncoderOnlyConfig,
    MaskedLanguageModel,
    sentence_embedding,
)
from lessons_lib.families.marian import MARIAN, Marian
from lessons_lib.families.weights_bert import load_bert, load_masked_language_model
from lessons_lib.families.weights_gpt2 import load_gpt2
from lessons_lib.families.weights_llama import load_llama
from lessons_lib.families.weights_marian import load_marian

__all__ = [
    "BERT_BASE",
    "GPT2_SMALL",
    "LLAMA_7B",
    "MARIAN",
    "DecoderOnly",
    "EncoderOnly",
    "EncoderOnlyConfig",
    "Marian",
    "MaskedLanguageModel",
    "load_bert",
    "load_gpt2",
    "load_llama",
    "load_marian",
    "load_masked_language_model",
    "sentence_embedding",
]
