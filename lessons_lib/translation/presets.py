"""Sizes that fit each corpus in a few minutes on two CPU cores. Plain numbers: importing them costs nothing.

Small batches, many steps: in so short a training the number of steps counts for more than the size of a batch.
"""

PRESETS = {
    "grammar": {
        "d_model": 128,
        "n_heads": 4,
        "n_encoder_layers": 2,
        "n_decoder_layers": 2,
        "d_ff": 512,
        "dropout": 0.0,
        "vocab_size": 2_000,
        "learning_rate": 3e-3,
    },
    "pairs": {
        "d_model": 128,
        "n_heads": 4,
        "n_encoder_layers": 2,
        "n_decoder_layers": 2,
        "d_ff": 512,
        "dropout": 0.0,
        "vocab_size": 4_000,
        "learning_rate": 3e-3,
    },
}
