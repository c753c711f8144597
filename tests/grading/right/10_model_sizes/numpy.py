"""NumPy's whole numbers, and tensors of one.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import numpy as np
import torch


def count_parameters(
    vocab_size, d_model, d_ff, n_encoder_layers, n_decoder_layers, n_positions=0, tied=True, bias=True
):
    shapes = [(vocab_size, d_model)]
    linear = lambda rows, columns: [(rows, columns)] + [(columns,)] * bias  # noqa: E731
    for layers, reads in ((n_encoder_layers, 0), (n_decoder_layers, int(n_encoder_layers > 0))):
        layer = linear(d_model, d_model) * 4 * (1 + reads) + linear(d_model, d_ff) + linear(d_ff, d_model)
        layer += [(2, d_model)] * (2 + reads)
        shapes += layer * layers
        shapes += [(n_positions, d_model), (2, d_model)] if layers else []
    shapes += [] if tied or n_decoder_layers == 0 else [(vocab_size, d_model)]
    return np.sum([np.prod(shape) for shape in shapes])


def cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2):
    factors = [2, n_layers, batch, length + source_length, n_kv_heads or n_heads, d_model // n_heads, bytes_a_number]
    return torch.tensor(factors).prod()


def largest_batch(memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False):
    each = (2 * weight_bytes + 8 + 4 * (weight_bytes < 4)) if training else weight_bytes
    free = np.int64(memory_gib) * 1024**3 - each * n_parameters
    return np.maximum(free, 0) // bytes_a_sequence
