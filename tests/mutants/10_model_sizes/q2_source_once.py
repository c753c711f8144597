"""The source is kept once for all layers.

q2: 2 of 3: The source is kept once for all layers
"""


def cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2):
    d_head = d_model // n_heads
    width = (n_kv_heads or n_heads) * d_head
    return 2 * batch * (n_layers * length + source_length) * width * bytes_a_number
