"""The encoder's layers get a second attention.

q1: 2 of 4: The encoder's layers get a cross-attention too
"""


def count_parameters(
    vocab_size, d_model, d_ff, n_encoder_layers, n_decoder_layers, n_positions=0, tied=True, bias=True
):
    attention = 4 * d_model * d_model + bias * 4 * d_model
    feed_forward = 2 * d_model * d_ff + bias * (d_ff + d_model)
    norm = 2 * d_model
    encoder_layer = attention + feed_forward + 2 * norm
    if n_encoder_layers > 0 and n_decoder_layers > 0:
        encoder_layer += attention + norm
    decoder_layer = encoder_layer
    stacks = (n_encoder_layers > 0) + (n_decoder_layers > 0)
    total = vocab_size * d_model
    total += stacks * n_positions * d_model
    total += stacks * norm
    total += n_encoder_layers * encoder_layer + n_decoder_layers * decoder_layer
    if n_decoder_layers > 0 and not tied:
        total += vocab_size * d_model
    return total
