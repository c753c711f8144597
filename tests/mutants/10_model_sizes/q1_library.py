"""The library's count.

q1: 0 of 4: the answer calls lessons_lib.sizes.parameters.
"""

from lessons_lib.config import TransformerConfig
from lessons_lib.sizes import count_parameters as library


def count_parameters(
    vocab_size, d_model, d_ff, n_encoder_layers, n_decoder_layers, n_positions=0, tied=True, bias=True
):
    config = TransformerConfig(
        vocab_size,
        d_model,
        1,
        None,
        None,
        n_encoder_layers,
        n_decoder_layers,
        d_ff,
        tied=tied,
        bias="all" if bias else "none",
    )
    return library(config)
