"""Heads are counted, not their numbers.

q2: 0 of 3: The widths of the heads are missing
"""


def cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2):
    width = n_kv_heads or n_heads
    tokens = batch * (length + source_length)
    return 2 * n_layers * tokens * width * bytes_a_number
