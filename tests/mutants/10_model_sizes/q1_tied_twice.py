"""The output projection is added though it is the embedding.

q1: 0 of 4: The tied embedding is counted twice
"""


def count_parameters(
    vocab_size, d_model, d_ff, n_encoder_layers, n_decoder_layers, n_positions=0, tied=True, bias=True
):
    attention = 4 * d_model * d_model + bias * 4 * d_model
    feed_forward = 2 * d_model * d_ff + bias * (d_ff + d_model)
    norm = 2 * d_model
    encoder_layer = attention + feed_forward + 2 * norm
    decoder_layer = encoder_layer
    if n_encoder_layers > 0:
        decoder_layer += attention + norm
    stacks = (n_encoder_layers > 0) + (n_decoder_layers > 0)
    total = vocab_size * d_model
    total += stacks * n_positions * d_model
    total += stacks * norm
    total += n_encoder_layers * encoder_layer + n_decoder_layers * decoder_layer
    if n_decoder_layers > 0:
        total += vocab_size * d_model
    return total
