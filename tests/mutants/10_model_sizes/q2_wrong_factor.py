"""Divided by the number of key heads.

q2: 1 of 3: it shrinks by n_heads // n_kv_heads
"""


def cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2):
    width = d_model // (n_kv_heads or 1)
    tokens = batch * (length + source_length)
    return 2 * n_layers * tokens * width * bytes_a_number
