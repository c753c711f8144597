"""A loop that never ends, and swallows what interrupts it now and then.

q1: 0 of 3: still running after
"""


def scaled_dot_product_attention(query, key, value, mask=None):
    row = 0
    while row < query.shape[-2]:
        try:
            row += 0
        except Exception:
            continue
