"""The batch is forgotten.

q2: 0 of 3: One sequence only
"""


def cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2):
    d_head = d_model // n_heads
    width = (n_kv_heads or n_heads) * d_head
    tokens = length + source_length
    return 2 * n_layers * tokens * width * bytes_a_number
