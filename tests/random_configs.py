"""Configurations drawn at random: any option with any other."""

import random

from lessons_lib.config import CHOICES, TransformerConfig
from lessons_lib.families import DecoderOnly, EncoderOnly, EncoderOnlyConfig
from lessons_lib.transformer import Transformer

FAMILIES = {"encoder-decoder": Transformer, "encoder-only": EncoderOnly, "decoder-only": DecoderOnly}


def random_config(family: str, seed: int, **changes) -> TransformerConfig:
    """Any option with any other."""
    draw = random.Random(f"{family} {seed}")
    n_heads, d_head = draw.choice([1, 2, 4, 6]), draw.choice([None, 2, 8])
    shape = {name: draw.choice(choices) for name, choices in CHOICES.items()}
    shape |= {
        "vocab_size": draw.randint(4, 90),
        "d_model": n_heads * draw.choice([2, 4, 8]),
        "n_heads": n_heads,
        "n_kv_heads": draw.choice([None, *(n for n in (1, 2, 3, n_heads) if n_heads % n == 0)]),
        "d_head": d_head,
        "d_ff": draw.randint(1, 40),
        "max_length": draw.randint(24, 40),
        "dropout": draw.choice([0.0, 0.1]),
        "attention_dropout": draw.choice([0.0, 0.1]),
        "embedding_norm": draw.random() < 0.5,
        "tied": draw.random() < 0.5,
        "n_encoder_layers": 0 if family == "decoder-only" else draw.randint(1, 3),
        "n_decoder_layers": 0 if family == "encoder-only" else draw.randint(1, 3),
    }
    if family == "encoder-only":
        shape |= {"n_token_types": draw.randint(0, 3), "pooler": draw.random() < 0.5}
        return EncoderOnlyConfig(**(shape | changes))
    return TransformerConfig(**(shape | changes))


def lengths_of(config: TransformerConfig, src: int, tgt: int) -> tuple[int, int]:
    return (src if config.n_encoder_layers else 0), (tgt if config.n_decoder_layers else 0)
