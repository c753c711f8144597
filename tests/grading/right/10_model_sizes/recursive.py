"""One layer more, one token more: by recursion and by sums.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""


def count_parameters(
    vocab_size, d_model, d_ff, n_encoder_layers, n_decoder_layers, n_positions=0, tied=True, bias=True
):
    one = (4 + 0) * d_model**2 + 2 * d_model * d_ff + bias * (5 * d_model + d_ff) + 4 * d_model
    reading = one + 4 * d_model**2 + bias * 4 * d_model + 2 * d_model
    total = vocab_size * d_model * (1 if tied or not n_decoder_layers else 2)
    for layers, layer in ((n_encoder_layers, one), (n_decoder_layers, reading if n_encoder_layers else one)):
        if layers:
            total += layers * layer + n_positions * d_model + 2 * d_model
    return total


def cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2):
    head = d_model // n_heads
    keys = values = head * (n_kv_heads if n_kv_heads else n_heads)
    return sum((keys + values) * bytes_a_number for _ in range(n_layers)) * batch * (length + source_length)


def largest_batch(memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False):
    weights = gradients = weight_bytes * n_parameters
    states = 2 * 4 * n_parameters
    copy = 4 * n_parameters if weight_bytes < 4 else 0
    needed = weights + (gradients + states + copy if training else 0)
    if needed > memory_gib * 2**30:
        return 0
    return (memory_gib * 2**30 - needed) // bytes_a_sequence
