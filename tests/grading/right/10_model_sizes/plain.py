"""The plain form, of which most wrong answers are edits.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
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
    if n_decoder_layers > 0 and not tied:
        total += vocab_size * d_model
    return total


def cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2):
    d_head = d_model // n_heads
    width = (n_kv_heads or n_heads) * d_head
    tokens = batch * (length + source_length)
    return 2 * n_layers * tokens * width * bytes_a_number


def largest_batch(memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False):
    a_parameter = weight_bytes
    if training:
        a_parameter += weight_bytes
        a_parameter += 4 + 4
        if weight_bytes < 4:
            a_parameter += 4
    free = memory_gib * 2**30 - a_parameter * n_parameters
    return max(0, free // bytes_a_sequence)
