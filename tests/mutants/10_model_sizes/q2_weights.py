"""The attention weights.

q2: 0 of 3: These are the attention weights
"""


def cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2):
    return n_layers * batch * n_heads * length**2 * bytes_a_number
