"""A class with a function for each question.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import math


class Counter:
    def __init__(self, count):
        self.count = count

    def __call__(self, *arguments, **named):
        return self.count(*arguments, **named)


@Counter
def count_parameters(
    vocab_size, d_model, d_ff, n_encoder_layers, n_decoder_layers, n_positions=0, tied=True, bias=True
):
    reads = n_encoder_layers > 0
    attention = 4 * (d_model + bias) * d_model
    feed_forward = (d_model + bias) * d_ff + (d_ff + bias) * d_model
    encoder = n_encoder_layers * (attention + feed_forward + 4 * d_model)
    decoder = n_decoder_layers * ((1 + reads) * attention + feed_forward + (4 + 2 * reads) * d_model)
    ends = sum((n_positions + 2) * d_model for layers in (n_encoder_layers, n_decoder_layers) if layers)
    tables = 1 + (n_decoder_layers > 0 and not tied)
    return encoder + decoder + ends + tables * vocab_size * d_model


@Counter
def cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2):
    group = n_heads // (n_kv_heads or n_heads)
    return 2 * n_layers * batch * (length + source_length) * (d_model // group) * bytes_a_number


@Counter
def largest_batch(memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False):
    numbers = [weight_bytes]
    if training:
        numbers += [weight_bytes, 4, 4] + [4] * (weight_bytes < 4)
    free = (memory_gib << 30) - sum(numbers) * n_parameters
    return math.floor(max(free, 0) // bytes_a_sequence)
