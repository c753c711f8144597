"""Sizes of translator, from a minute of training to a night. Plain numbers: importing them costs nothing.

Small batches, many steps: in so short a training the number of steps counts for more than the size of a batch.
Weight decay is times the learning rate, so that 0.01 is next to none; the hour of ``deep`` was measured with that.
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
        "weight_decay": 0.2,
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
        "weight_decay": 0.1,
        "average": 0,
    },
    # The same, for an hour: deep rather than wide, and so much dropout that 50 readings of each sentence still teach.
    "deep": {
        "d_model": 128,
        "n_heads": 4,
        "n_encoder_layers": 4,
        "n_decoder_layers": 4,
        "d_ff": 512,
        "dropout": 0.3,
        "vocab_size": 5_000,
        "learning_rate": 3e-3,
        "weight_decay": 0.01,
        "warmup_steps": 400,
        "average": 10,
        "batch_tokens": 2_000,
        "validations": 6,
    },
    # For more text, or a GPU: wide enough to learn more, with enough dropout not to learn by heart.
    "base": {
        "d_model": 256,
        "n_heads": 4,
        "n_encoder_layers": 3,
        "n_decoder_layers": 3,
        "d_ff": 1_024,
        "dropout": 0.2,
        "vocab_size": 8_000,
        "learning_rate": 2e-3,
        "weight_decay": 0.01,
        "average": 8,
        "batch_tokens": 1_500,
    },
    # As much as 5 MB hold in 8 bits, for everyday sentences and a page: many layers that read, two that write.
    "everyday": {
        "d_model": 256,
        "n_heads": 4,
        "n_encoder_layers": 4,
        "n_decoder_layers": 2,
        "d_ff": 336,
        "activation": "swiglu",
        "norm_type": "rms",
        "positions": "rope",
        "bias": "none",
        "dropout": 0.1,
        "vocab_size": 4_000,
        "learning_rate": 2e-3,
        "weight_decay": 0.15,
        "warmup_steps": 500,
        "average": 10,
        "batch_tokens": 2_000,
        "validations": 20,
    },
}
# What can be trained on, and the size that fits it.
CORPORA = {"grammar": "toy", "pairs": "small", "tatoeba": "everyday", "wmt14": "base"}
