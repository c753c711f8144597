"""Three sizes of translator, from a minute of training to an hour. Plain numbers: importing them costs nothing.

Small batches, many steps: in so short a training the number of steps counts for more than the size of a batch.
"""

PRESETS = {
    # The embedded corpus: its language is small, and nothing in it is noise.
    "toy": {
        "d_model": 128,
        "n_heads": 4,
        "n_encoder_layers": 2,
        "n_decoder_layers": 2,
        "d_ff": 256,
        "dropout": 0.0,
        "vocab_size": 4_000,
        "learning_rate": 4e-3,
        "average": 0,
        "batch_tokens": 768,
    },
    # Tens of thousands of real sentences, a few minutes.
    "small": {
        "d_model": 128,
        "n_heads": 4,
        "n_encoder_layers": 2,
        "n_decoder_layers": 2,
        "d_ff": 512,
        "dropout": 0.0,
        "vocab_size": 4_000,
        "learning_rate": 3e-3,
        "average": 0,
    },
    # The same, for who can wait: wide enough to learn more, with enough dropout not to learn by heart.
    "base": {
        "d_model": 256,
        "n_heads": 4,
        "n_encoder_layers": 3,
        "n_decoder_layers": 3,
        "d_ff": 1_024,
        "dropout": 0.2,
        "vocab_size": 8_000,
        "learning_rate": 2e-3,
        "average": 8,
        "batch_tokens": 1_500,
    },
}
CORPORA = {"grammar": "toy", "pairs": "small", "wmt14": "base"}  # what can be trained on, and the size that fits it
